import { Injectable } from '@nestjs/common';
import { Addresses } from '../addresses/addresses.service.js';
import { Audit } from '../audit/audit.service.js';
import { FailedLogins, type LoginFailure } from '../audit/failed-logins.js';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import { SessionRefresh } from '../sessions/session-refresh.js';
import {
  type Origin,
  type RefreshableSession,
  SessionsService,
} from '../sessions/sessions.service.js';
import { isDisabled, type User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { LoginBody, LogoutQuery, RefreshBody, RegisterBody, Tokens } from './auth.schemas.js';
import { AuthHooks } from './hooks.js';
import { LoginMetrics } from './login-metrics.js';

/** The session a request comes from. */
interface OwnSession {
  id: string;
  userId: string;
}

/** Registers users and signs them in. */
@Injectable()
export class AuthService {
  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly newPasswords: NewPasswords,
    private readonly sessions: SessionsService,
    private readonly refreshes: SessionRefresh,
    private readonly accessTokens: AccessTokens,
    private readonly hooks: AuthHooks,
    private readonly logins: LoginMetrics,
    private readonly addresses: Addresses,
    private readonly audit: Audit,
    private readonly failedLogins: FailedLogins,
  ) {}

  /**
   * An address that another account holds is taken like any other (see `Addresses`). `notify` says
   * whether mail may go to it.
   *
   * @throws ApiError weak_password with the reason, username_taken, missing_parameter (the e-mail
   *   address, where the settings ask for one), overloaded, unavailable
   */
  async register(
    { username, password, email, ...profile }: RegisterBody,
    notify: { locale?: string; allowed: boolean },
    options?: HashOptions,
  ): Promise<User> {
    if (this.config.requireVerifiedEmail && email.email === null) {
      throw new ApiError('missing_parameter', { msg: 'Missing email parameter' });
    }
    const owner = { username: username.username, email: email.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(password, owner, options);
    return this.users.create(
      { ...username, ...email, ...profile, passwordHash },
      async (manager, user) => {
        const { id } = user;
        await this.audit.record(manager, { action: 'registered', subjectId: id, actorId: id });
        if (notify.allowed) await this.addresses.sendVerification(manager, user, notify.locale);
      },
    );
  }

  /**
   * Signs a user in: a new session and its first tokens.
   *
   * @throws ApiError bad_credentials, the same and after the same work whatever is wrong;
   *   user_disabled and email_not_verified only with the right password; overloaded, unavailable
   */
  login(body: LoginBody, origin: Origin, options?: HashOptions): Promise<Tokens> {
    return this.logins.count(this.signIn(body, origin, options));
  }

  private async signIn(
    { username, password }: LoginBody,
    origin: Origin,
    options?: HashOptions,
  ): Promise<Tokens> {
    await this.passwords.expectRoom(options);
    for (;;) {
      const found = await this.users.findByLogin(username);
      const user = await this.checkPassword(found, password, options);
      const session = await this.sessions.start(user, origin);
      // What was checked has changed meanwhile: now the new password has to be the right one.
      if (session) return this.tokens(user, session);
    }
  }

  /**
   * The user, where `password` is the right one; takes as long if there is no user.
   *
   * @throws ApiError bad_credentials; user_disabled, email_not_verified only with the right password
   */
  private async checkPassword(
    user: User | null,
    password: string,
    options?: HashOptions,
  ): Promise<User> {
    const prepared = preparePassword(password);
    const plain = prepared.ok ? prepared.password : undefined;
    const good = await this.passwords.verify(plain, user?.passwordHash, options);
    if (!user || plain === undefined || !good) throw this.failed('bad_credentials', user);
    if (isDisabled(user)) throw this.failed('user_disabled', user);
    if (this.config.requireVerifiedEmail && !user.emailVerifiedAt) {
      throw this.failed('email_not_verified', user);
    }
    if (!this.passwords.needsRehash(plain, user.passwordHash)) return user;
    return this.renewHash(user, plain, options);
  }

  /** Notes for the audit that a login failed; takes as long whoever it was, if anybody. */
  private failed(reason: LoginFailure, user: User | null): ApiError {
    this.failedLogins.note(user?.id ?? null, reason);
    return new ApiError(reason);
  }

  /**
   * Exchanges a refresh token for new tokens, with the user's roles of now.
   *
   * @throws ApiError as `SessionRefresh.exchange`, and user_disabled
   */
  async refresh({ refresh_token: token }: RefreshBody): Promise<Tokens> {
    const session = await this.refreshes.exchange(token);
    const user = await this.users.findById(session.userId);
    if (!user) throw new ApiError('session_ended');
    if (isDisabled(user)) throw new ApiError('user_disabled');
    return this.tokens(user, session);
  }

  /** Ends the session a request comes from, all of its user, or all others. */
  async logout(own: OwnSession | undefined, scope: LogoutQuery['scope']): Promise<void> {
    if (!own) throw new ApiError('unauthorized');
    const { id, userId } = own;
    const which = { local: { userId, id }, global: { userId }, others: { userId, except: id } };
    await this.sessions.end(which[scope], 'logout');
  }

  /** Without time for it now the sign-in goes on: the next one renews the hash. */
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

  private async tokens(user: User, session: RefreshableSession): Promise<Tokens> {
    const jwt = await this.accessTokens.sign(
      user,
      {
        sid: session.id,
        ver: user.tokenVersion,
        authTime: Math.floor(session.createdAt.getTime() / 1000),
      },
      await this.hooks.claims(user),
    );
    return {
      jwt,
      token_type: this.config.jwt.headerType,
      expires_in: this.config.jwt.expires,
      refresh_token: session.refreshToken,
    };
  }
}
