import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import type { Assurance } from '../sessions/assurance.js';
import { SessionRefreshService } from '../sessions/session-refresh.service.js';
import type { Origin } from '../sessions/session-start.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { isDisabled, type User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { LoginBody, LogoutQuery, RefreshBody, Tokens } from './auth.schemas.js';
import { SessionTokensService } from './session-tokens.service.js';
import { SignInsService } from './sign-ins.service.js';

/** A password is one factor. */
const PASSWORD: Assurance = { amr: ['pwd'], aal: 1 };

/** The session a request comes from. */
interface OwnSession {
  id: string;
  userId: string;
}

/** Signs users in by their password, renews their tokens, and signs them out. */
@Injectable()
export class AuthService {
  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly signIns: SignInsService,
    private readonly tokens: SessionTokensService,
    private readonly sessions: SessionsService,
    private readonly refreshes: SessionRefreshService,
  ) {}

  /**
   * Signs a user in with a name or address (see `IDENTIFIER`) and a password.
   *
   * @throws ApiError bad_credentials, after the same work whether the name or the password is wrong;
   *   user_disabled, email_not_verified and second_factor_required only if the password is right; overloaded,
   *   unavailable
   */
  login(body: LoginBody, origin: Origin, options?: HashOptions): Promise<Tokens> {
    return this.signIns.attempt(this.signIn(body, origin, options));
  }

  private async signIn(
    { username, password }: LoginBody,
    origin: Origin,
    options?: HashOptions,
  ): Promise<Tokens> {
    await this.passwords.expectRoom(options);
    for (;;) {
      const found = await this.users.findByLogin(username, this.config.identifier);
      const user = await this.checkPassword(found, password, options);
      const method = { assurance: PASSWORD, hash: user.passwordHash };
      const signIn = await this.signIns.complete(user, method, origin);
      if (signIn.outcome === 'second_factor_required') throw signIn.refusal;
      // If the user has changed meanwhile, the password has to fit the new hash.
      if (signIn.outcome === 'signed_in') return signIn.tokens;
    }
  }

  /**
   * Returns the user if the password is right. Without a user it takes equally long.
   *
   * @throws ApiError bad_credentials
   */
  private async checkPassword(
    user: User | null,
    password: string,
    options?: HashOptions,
  ): Promise<User> {
    const prepared = preparePassword(password);
    const plain = prepared.ok ? prepared.password : undefined;
    const isRight = await this.passwords.verify(plain, user?.passwordHash, options);
    if (!user || plain === undefined || !isRight) {
      throw this.signIns.refuse('bad_credentials', user);
    }
    if (!this.passwords.needsRehash(plain, user.passwordHash)) return user;
    return this.renewHash(user, plain, options);
  }

  /** Hashes the password anew. If the server is too busy for it, a later sign-in does it. */
  private async renewHash(user: User, plain: string, options?: HashOptions): Promise<User> {
    try {
      const passwordHash = await this.passwords.hash(plain, options);
      await this.users.renewHash(user, passwordHash);
      return { ...user, passwordHash };
    } catch (error) {
      if (error instanceof ApiError) return user;
      throw error;
    }
  }

  /**
   * Exchanges a refresh token for new tokens, with the user's present roles.
   *
   * @throws ApiError as `SessionRefreshService.exchange`, and user_disabled
   */
  async refresh({ refresh_token: token }: RefreshBody): Promise<Tokens> {
    const session = await this.refreshes.exchange(token);
    const user = await this.users.findById(session.userId);
    if (!user) throw new ApiError('session_ended');
    if (isDisabled(user)) throw new ApiError('user_disabled');
    return this.tokens.issue(user, session);
  }

  /** Ends the session that a request comes from, all sessions of its user, or all others. */
  async logout(own: OwnSession | undefined, scope: LogoutQuery['scope']): Promise<void> {
    if (!own) throw new ApiError('unauthorized');
    const { id, userId } = own;
    const which = { local: { userId, id }, global: { userId }, others: { userId, except: id } };
    await this.sessions.end(which[scope], 'logout');
  }
}
