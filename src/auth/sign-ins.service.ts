import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { FailedLogins, type LoginFailure } from '../audit/failed-logins.js';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import type { Assurance } from '../sessions/assurance.js';
import { type Origin, SessionStartService } from '../sessions/session-start.service.js';
import { isDisabled, type User } from '../users/user.entity.js';
import type { Tokens } from './auth.schemas.js';
import { SecondFactorGate } from './second-factor-gate.js';
import { LoginMetrics } from './login-metrics.js';
import { SessionTokensService } from './session-tokens.service.js';

/** The credential that a user has just proven. */
export interface SignInMethod {
  /** How strong the proof is, and the names of its methods. */
  assurance: Assurance;
  /** The hash of the password that the user typed. The sign-in fails if the stored hash has changed. */
  hash?: string;
}

/** The outcome of a sign-in that was not refused. */
export type SignIn =
  | { outcome: 'signed_in'; tokens: Tokens }
  /**
   * The user has to prove a second factor. The caller throws `refusal`, after the commit if it gave a
   * transaction.
   */
  | { outcome: 'second_factor_required'; refusal: ApiError }
  /** The account or its password has changed since the proof, so the user has to prove it again. */
  | { outcome: 'changed' };

/** The only way to a session. Each way to sign in proves its method, and then calls {@link complete}. */
@Injectable()
export class SignInsService {
  constructor(
    private readonly config: Config,
    private readonly sessions: SessionStartService,
    private readonly tokens: SessionTokensService,
    private readonly gate: SecondFactorGate,
    private readonly failedLogins: FailedLogins,
    private readonly metrics: LoginMetrics,
  ) {}

  /**
   * Signs in a user after the proof of a method. It checks the account, starts a session, and records it. A user
   * with a second factor gets no session by one factor alone, whatever the way in.
   *
   * @param manager the transaction to sign in with, which holds the lock on the user's row; by default one of
   *   its own
   * @throws ApiError user_disabled, email_not_verified
   */
  async complete(
    user: User,
    method: SignInMethod,
    origin: Origin,
    manager?: EntityManager,
  ): Promise<SignIn> {
    if (isDisabled(user)) throw this.refuse('user_disabled', user);
    if (this.config.requireVerifiedEmail && !user.emailVerifiedAt) {
      throw this.refuse('email_not_verified', user);
    }
    const { assurance } = method;
    if (user.secondFactorSince && assurance.aal < 2) {
      const refusal = await this.gate.challenge(user, assurance, origin, manager);
      return refusal ? { outcome: 'second_factor_required', refusal } : { outcome: 'changed' };
    }
    const seen = { id: user.id, passwordHash: method.hash, assurance };
    const session = await this.sessions.start(seen, origin, manager);
    if (!session) return { outcome: 'changed' };
    const tokens = await this.tokens.issue(user, session);
    this.metrics.countSuccess(manager);
    return { outcome: 'signed_in', tokens };
  }

  /**
   * Notes a failed sign-in for the audit, and returns the refusal. It takes equally long with and without a
   * user, so its time reveals no account.
   */
  refuse(reason: LoginFailure, user: Pick<User, 'id'> | null): ApiError {
    this.failedLogins.note(user?.id ?? null, reason);
    return new ApiError(reason);
  }

  /**
   * Counts an attempt if it fails, and resolves or rejects with it. Every way in runs its attempts through
   * this.
   */
  attempt<T>(attempt: Promise<T>): Promise<T> {
    return this.metrics.countFailure(attempt);
  }
}
