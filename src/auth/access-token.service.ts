import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import { isDisabled } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Authentication } from './authentication.js';
import { refuseBeforeEnrolment } from './enrolment.js';
import { AuthHooks } from './hooks.js';
import { JwtStrategy } from './jwt.strategy.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Makes and verifies access tokens by hand, for jobs, WebSockets and other work without an HTTP request. */
@Injectable()
export class AccessTokenService {
  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly hooks: AuthHooks,
    private readonly tokens: AccessTokens,
    private readonly strategy: JwtStrategy,
    private readonly verified: VerifiedTokens,
  ) {}

  /**
   * Returns a token that acts for a user without a sign-in. It has no session, cannot be renewed, and never
   * counts as a recent sign-in. A ban, a password reset or the end of all sessions ends it as well. A change
   * of the password that keeps a session does not.
   *
   * @param expires seconds, at most `JWT_EXPIRES`, which is the default
   * @throws ApiError not_found, user_disabled
   */
  async sign(userId: string, { expires }: { expires?: number } = {}): Promise<string> {
    const user = await this.users.findById(userId);
    if (!user) throw new ApiError('not_found', { msg: 'There is no such user' });
    if (isDisabled(user)) throw new ApiError('user_disabled');
    const longest = this.config.jwt.expires;
    const options = {
      sid: randomUUID(),
      ver: user.tokenVersion,
      expires: Math.min(expires ?? longest, longest),
    };
    return this.tokens.sign(user, options, await this.hooks.claims(user));
  }

  /**
   * Checks a token as `JwtAuthGuard` does, including its revocation.
   *
   * @throws ApiError with its own code for each kind of bad token; token_malformed for anything but a text;
   *   enrolment_required
   */
  async verify(token: string): Promise<Authentication> {
    if (typeof token !== 'string') throw new ApiError('token_malformed');
    const known = this.verified.recall(token);
    if (known) {
      this.verified.check(known);
      refuseBeforeEnrolment(known.claims);
      return known;
    }
    const verified = this.strategy.verify(token);
    if (verified instanceof Error) throw verified;
    const authentication = await verified;
    refuseBeforeEnrolment(authentication.claims);
    this.verified.remember(token, authentication);
    return authentication;
  }

  /**
   * Checks the result of {@link verify} again: a connection outlives the token that opened it.
   *
   * @throws ApiError token_expired, token_revoked, token_stale
   */
  check(authentication: Authentication): void {
    this.verified.check(authentication);
  }
}
