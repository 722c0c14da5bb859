import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { fieldsOf, requestOf } from '../common/request-of.js';
import { Config } from '../config/config.js';
import type { Tokens, TokensView } from './auth.schemas.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether this request's refresh token came by cookie. */
    refreshesByCookie?: boolean;
  }
}

const NAME = 'latchkey_refresh';

/**
 * Cookie mode (`AUTH_COOKIES=on`): a browser keeps the refresh token in a cookie that scripts cannot read.
 * The settings decide about `Secure` and the prefix `__Host-` (RFC 6265bis, section 4.1.3.2), which keeps
 * other hosts of the domain from setting the cookie. Only an `http` server outside production goes without
 * them, because browsers refuse such cookies there.
 */
@Injectable()
export class RefreshCookie {
  private readonly name: string;
  private readonly attributes;

  constructor(private readonly config: Config) {
    const { secureCookies: secure, cookie } = config;
    // Browsers refuse `__Host-` with a domain, because other hosts of the domain then get the cookie as well.
    const prefix = cookie.domain === undefined ? '__Host-' : '__Secure-';
    this.name = (secure ? prefix : '') + NAME;
    this.attributes = { path: '/', httpOnly: true, secure, ...cookie } as const;
  }

  /** Whether cookie mode is on. */
  get isOn(): boolean {
    return this.config.authCookies;
  }

  /**
   * Returns the refresh token in a browser's cookie, for a request that changes data.
   *
   * @returns undefined if cookies are off or the request has none
   * @throws ApiError origin_not_allowed unless the `Origin` is one of `CORS_ORIGINS`
   */
  read(request: FastifyRequest): string | undefined {
    if (!this.isOn) return undefined;
    const token = request.cookies[this.name];
    if (!token) return undefined;
    if (!this.isFromAllowedOrigin(request)) throw new ApiError('origin_not_allowed');
    return token;
  }

  /**
   * Returns the answer to a login. A browser of `CORS_ORIGINS` gets the refresh token only as a cookie, all
   * other clients in the body.
   */
  answerLogin(request: FastifyRequest, reply: FastifyReply, tokens: Tokens): TokensView {
    const byCookie = this.isOn && this.isFromAllowedOrigin(request);
    return byCookie ? this.moveToCookie(reply, tokens) : tokens;
  }

  /** Returns the answer to a refresh. The next token travels like the one before. */
  answerRefresh(request: FastifyRequest, reply: FastifyReply, tokens: Tokens): TokensView {
    return request.refreshesByCookie ? this.moveToCookie(reply, tokens) : tokens;
  }

  /** Removes the cookie. */
  clear(reply: FastifyReply): void {
    if (this.isOn) reply.clearCookie(this.name, this.attributes);
  }

  private moveToCookie(
    reply: FastifyReply,
    { refresh_token: token, ...shown }: Tokens,
  ): TokensView {
    reply.setCookie(this.name, token, { ...this.attributes, maxAge: this.config.sessions.idle });
    return shown;
  }

  private isFromAllowedOrigin({ headers: { origin } }: FastifyRequest): boolean {
    return origin !== undefined && this.config.corsOrigins.includes(origin);
  }
}

/** Lets a route take `refresh_token` from the cookie instead of the body. */
@Injectable()
export class RefreshCookieGuard implements CanActivate {
  constructor(private readonly cookie: RefreshCookie) {}

  /**
   * Copies the cookie's token into the body.
   *
   * @throws ApiError missing_refresh_token if the request has neither cookie nor body
   */
  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context);
    if (fieldsOf(request).refresh_token !== undefined) return true;
    const token = this.cookie.read(request);
    if (token !== undefined) {
      request.body = { refresh_token: token };
      request.refreshesByCookie = true;
    } else if (isEmpty(request)) throw new ApiError('missing_refresh_token');
    return true;
  }
}

/** Tells whether the body is missing, as from a browser that relies on the cookie. */
const isEmpty = ({ headers, body }: FastifyRequest): boolean =>
  body === undefined &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) === 0;
