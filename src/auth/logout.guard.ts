import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { setActor } from '../common/request-context.js';
import { requestOf } from '../common/request-of.js';
import { SessionRefreshService } from '../sessions/session-refresh.service.js';
import { refuseImpersonation } from './impersonation.guard.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { RefreshCookie } from './refresh-cookie.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The session that a logout comes from. */
    ownSession?: { id: string; userId: string };
  }
}

/** Finds the session to log out: by the access token, or in cookie mode by the refresh token. */
@Injectable()
export class LogoutGuard extends JwtAuthGuard {
  constructor(
    strategy: JwtStrategy,
    header: TokenHeader,
    verified: VerifiedTokens,
    private readonly cookie: RefreshCookie,
    private readonly refresh: SessionRefreshService,
  ) {
    super(strategy, header, verified);
  }

  /**
   * Sets `ownSession`.
   *
   * @throws ApiError missing_refresh_token, as `SessionRefreshService.identify`, as `JwtAuthGuard`
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    if (this.cookie.isOn && !this.bringsToken(request)) {
      const token = this.cookie.read(request);
      if (token === undefined) throw new ApiError('missing_refresh_token');
      request.ownSession = await this.refresh.identify(token);
      setActor(request, request.ownSession.userId);
      return true;
    }
    await super.canActivate(context);
    refuseImpersonation(request);
    const { subject, claims } = request.authentication ?? {};
    if (subject && claims) request.ownSession = { id: claims.sid, userId: subject.id };
    return true;
  }
}
