import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import { checkNewPassword, preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import {
  type Origin,
  type RefreshableSession,
  SessionsService,
} from '../sessions/sessions.service.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { LoginBody, RefreshBody, RegisterBody, TokensView } from './auth.schemas.js';
import { AuthHooks } from './hooks.js';
import { LoginMetrics } from './login-metrics.js';

/** Registers users and signs them in. */
@Injectable()
export class AuthService {
  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokens,
    private readonly hooks: AuthHooks,
    private readonly logins: LoginMetrics,
  ) {}

  /** @throws ApiError weak_password with the reason, username_taken, email_taken */
  async register({ username, password, email }: RegisterBody): Promise<User> {
    const prepared = preparePassword(password);
    if (!prepared.ok) throw new ApiError('weak_password', { msg: prepared.reason });
    const reason = checkNewPassword(prepared.password, {
      username: username.username,
      email: email.email ?? undefined,
      minLength: this.config.passwordMinLength,
    });
    if (reason !== undefined) throw new ApiError('weak_password', { msg: reason });
    const passwordHash = await this.passwords.hash(prepared.password);
    return this.users.create({ ...username, ...email, passwordHash });
  }

  /**
   * Signs a user in: a new session and its first tokens.
   *
   * @throws ApiError bad_credentials, the same and after the same work whatever is wrong;
   *   user_disabled only with the right password
   */
  login(body: LoginBody, origin: Origin): Promise<TokensView> {
    return this.logins.count(this.signIn(body, origin));
  }

  private async signIn({ username, password }: LoginBody, origin: Origin): Promise<TokensView> {
    const user = await this.users.findByLogin(username);
    const prepared = preparePassword(password);
    const plain = prepared.ok ? prepared.password : undefined;
    const good = await this.passwords.verify(plain, user?.passwordHash);
    if (!user || plain === undefined || !good) throw new ApiError('bad_credentials');
    if (user.disabledAt) throw new ApiError('user_disabled');
    if (this.passwords.needsRehash(plain, user.passwordHash)) {
      await this.users.renewHash(user, await this.passwords.hash(plain));
    }
    return this.tokens(user, await this.sessions.start(user.id, origin));
  }

  /**
   * Exchanges a refresh token for new tokens, with the user's roles of now.
   *
   * @throws ApiError as `SessionsService.refresh`, and user_disabled
   */
  async refresh({ refresh_token: token }: RefreshBody): Promise<TokensView> {
    const session = await this.sessions.refresh(token);
    const user = await this.users.findById(session.userId);
    if (!user) throw new ApiError('session_ended');
    if (user.disabledAt) throw new ApiError('user_disabled');
    return this.tokens(user, session);
  }

  private async tokens(user: User, session: RefreshableSession): Promise<TokensView> {
    const jwt = await this.accessTokens.sign(
      user,
      { sid: session.id, ver: user.tokenVersion },
      await this.hooks.claims(user),
    );
    return {
      jwt,
      token_type: 'Bearer',
      expires_in: this.config.jwt.expires,
      refresh_token: session.refreshToken,
    };
  }
}
