import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { requestOf } from '../common/request-of.js';
import { Config } from '../config/config.js';

const NAME = 'latchkey_refresh';

/**
 * Cookie mode (`AUTH_COOKIES=on`): a browser keeps the refresh token where no script can read it. The
 * name has the prefix `__Host-` (RFC 6265bis, section 4.1.3.2), so that no other host of the domain
 * can set it; on http://localhost, where browsers refuse that, it is plain.
 */
@Injectable()
export class RefreshCookie {
  constructor(private readonly config: Config) {}

  /**
   * The refresh token that a browser sent along, for a request that changes something.
   *
   * @returns undefined where cookies are off or there is none
   * @throws ApiError origin_not_allowed unless the `Origin` is one of `CORS_ORIGINS`
   */
  read(request: FastifyRequest): string | undefined {
    if (!this.config.authCookies) return undefined;
    const token = request.cookies[nameFor(request)];
    if (!token) return undefined;
    const { origin } = request.headers;
    if (origin === undefined || !this.config.corsOrigins.includes(origin)) {
      throw new ApiError('origin_not_allowed');
    }
    return token;
  }

  /** Gives the browser a session's next refresh token. */
  set(request: FastifyRequest, reply: FastifyReply, token: string): void {
    if (!this.config.authCookies) return;
    reply.setCookie(nameFor(request), token, {
      ...attributesFor(request),
      maxAge: this.config.sessions.idle,
    });
  }

  /** Takes the cookie away. */
  clear(request: FastifyRequest, reply: FastifyReply): void {
    if (this.config.authCookies) reply.clearCookie(nameFor(request), attributesFor(request));
  }
}

const isPlain = ({ protocol, hostname }: FastifyRequest): boolean =>
  protocol === 'http' && /^(localhost|127\.0\.0\.1|\[?::1\]?)$/.test(hostname);

const nameFor = (request: FastifyRequest): string => (isPlain(request) ? '' : '__Host-') + NAME;

const attributesFor = (request: FastifyRequest) => ({
  path: '/',
  httpOnly: true,
  secure: !isPlain(request),
  sameSite: 'strict' as const,
});

/** Lets a route that asks for `refresh_token` in its body take it from the cookie instead. */
@Injectable()
export class RefreshCookieGuard implements CanActivate {
  constructor(private readonly cookie: RefreshCookie) {}

  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context);
    const body = (request.body ?? {}) as { refresh_token?: unknown };
    if (body.refresh_token !== undefined) return true;
    const token = this.cookie.read(request);
    if (token !== undefined) request.body = { refresh_token: token };
    return true;
  }
}
