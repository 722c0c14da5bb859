import { Injectable } from '@nestjs/common';
import type { Tokens, TokensView } from '../auth/auth.schemas.js';
import { isWrongProof } from '../auth/account-attempts.js';
import { SessionTokensService } from '../auth/session-tokens.service.js';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { SignInsService } from '../auth/sign-ins.service.js';
import { StepUpService } from '../auth/step-up.service.js';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { type Assurance, withProof } from '../sessions/assurance.js';
import { SessionRefreshService } from '../sessions/session-refresh.service.js';
import type { Origin } from '../sessions/session-start.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { RequestLike } from '../throttling/rate-limits.js';
import { lockUser } from '../users/lock-user.js';
import { ChallengesService } from './challenges.service.js';
import type { SecondFactorBody, StepUpBody } from './factors.schemas.js';
import { ProofsService } from './proofs.service.js';

/** Completes sign-ins by a second factor, and raises the assurance of sessions. */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly database: Database,
    private readonly challenges: ChallengesService,
    private readonly proofs: ProofsService,
    private readonly signIns: SignInsService,
    private readonly stepUps: StepUpService,
    private readonly users: SignedInUserService,
    private readonly sessions: SessionsService,
    private readonly refreshes: SessionRefreshService,
    private readonly tokens: SessionTokensService,
  ) {}

  /**
   * Signs a user in after a first factor. One transaction uses the proof and the challenge up and starts
   * the session, so a crash between them leaves all or nothing.
   *
   * @throws ApiError challenge_invalid, code_invalid, too_many_requests, user_disabled, email_not_verified
   */
  signIn(body: SecondFactorBody, origin: Origin, request: RequestLike): Promise<Tokens> {
    return this.signIns.attempt(this.complete(body, origin, request));
  }

  private async complete(
    { challenge, ...proof }: SecondFactorBody,
    origin: Origin,
    request: RequestLike,
  ): Promise<Tokens> {
    const { userId } = await this.challenges.find(challenge, origin);
    return this.proofs.limited(request, userId, async () => {
      const counted = await this.challenges.count(challenge, origin);
      const first: Assurance = { amr: counted.amr.split(' '), aal: 1 };
      try {
        const prepared = await this.proofs.prepare(userId, proof);
        return await this.database.transaction(async (manager) => {
          const user = await lockUser(manager, userId);
          if (!user) throw new ApiError('challenge_invalid');
          await this.challenges.use(manager, counted, user);
          const amr = await this.proofs.prove(manager, user, prepared, origin.locale);
          const method = { assurance: withProof(first, { amr, aal: 2 }) };
          const signIn = await this.signIns.complete(user, method, origin, manager);
          if (signIn.outcome !== 'signed_in') throw new ApiError('challenge_invalid');
          return signIn.tokens;
        });
      } catch (error) {
        if (isWrongProof(error)) this.signIns.refuse(error.code, { id: userId });
        throw error;
      }
    });
  }

  /**
   * Raises the session of a signed-in user by a further proof. Returns an access token that says so, and that
   * expires with the present one. The client keeps its refresh token: a thief of an access token must not get a
   * lasting session by the password alone.
   *
   * @throws ApiError wrong_password, code_invalid, too_many_requests, token_revoked, overloaded, unavailable
   */
  async stepUp(
    { userId, claims, locale }: OwnRequest,
    { current_password: password, ...proof }: StepUpBody,
    request: RequestLike,
    options?: HashOptions,
  ): Promise<TokensView> {
    if (claims.act) throw new ApiError('impersonation_forbidden');
    const seen = await this.users.find(userId);
    if (password !== undefined) await this.stepUps.checkPassword(seen, password, options);
    const raise = async () => {
      const prepared = password === undefined && (await this.proofs.prepare(userId, proof));
      return this.database.transaction(async (manager) => {
        const user = await this.users.lock(manager, userId);
        const changed = password !== undefined && user.passwordHash !== seen.passwordHash;
        if (changed) throw await this.users.changedMeanwhile(user);
        const proven: Assurance = prepared
          ? { amr: await this.proofs.prove(manager, user, prepared, locale), aal: 2 }
          : { amr: ['pwd'], aal: 1 };
        const session = await this.sessions.stepUp(manager, { id: claims.sid, userId }, proven);
        if (!session) throw new ApiError('token_revoked');
        const refreshable = this.refreshes.tokensOf(session);
        const issued = await this.tokens.issue(user, refreshable, claims.exp);
        const { jwt, token_type, expires_in } = issued;
        return { jwt, token_type, expires_in };
      });
    };
    return password === undefined ? this.proofs.limited(request, userId, raise) : raise();
  }
}
