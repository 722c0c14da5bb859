import { type ExecutionContext, Injectable } from '@nestjs/common';
import { setActor } from '../common/request-context.js';
import { requestOf } from '../common/request-of.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { refuseImpersonation } from './impersonation.guard.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { RefreshCookie } from './refresh-cookie.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The session that a request to end one comes from. */
    ownSession?: { id: string; userId: string };
  }
}

/** Finds the session to log out: by access token, or in cookie mode by the refresh token. */
@Injectable()
export class LogoutGuard extends JwtAuthGuard {
  constructor(
    strategy: JwtStrategy,
    header: TokenHeader,
    verified: VerifiedTokens,
    private readonly cookie: RefreshCookie,
    private readonly sessions: SessionsService,
  ) {
    super(strategy, header, verified);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const token = this.header.isPresent(request) ? undefined : this.cookie.read(request);
    if (token !== undefined) {
      request.ownSession = await this.sessions.identify(token);
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
