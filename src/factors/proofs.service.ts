import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccountAttempts } from '../auth/account-attempts.js';
import { ApiError } from '../common/api-error.js';
import type { Limit } from '../throttling/limit-store.js';
import { type RequestLike, RateLimits } from '../throttling/rate-limits.js';
import type { User } from '../users/user.entity.js';
import { FactorKinds } from './factor-kinds.js';
import type { Proof } from './factors.schemas.js';
import { recordRefusal } from './recorded-refusal.js';

/**
 * Judges proofs of second factors, and limits the wrong ones of an account: ten in a quarter of an hour over all
 * its sign-ins and factors. Each is counted before it is judged. A right one is given back. Beyond the limit, only
 * networks from which the account has signed in before may go on, with ten wrong ones each. So an attacker does
 * not lock the owner out, and a neighbour of the owner gets few guesses.
 */
@Injectable()
export class ProofsService {
  private readonly limits: { limit: Limit; pair: Limit };

  constructor(
    private readonly kinds: FactorKinds,
    private readonly attempts: AccountAttempts,
    limits: RateLimits,
  ) {
    const rate = { points: 10, seconds: 900 };
    this.limits = {
      limit: limits.declare({ ...rate, name: 'secondFactor' }),
      pair: limits.declare({ ...rate, name: 'secondFactorPair' }),
    };
  }

  /**
   * Runs `attempt` with a proof, and counts it unless it is right.
   *
   * @throws ApiError too_many_requests, and the refusals of `attempt`
   */
  async limited<T>(request: RequestLike, userId: string, attempt: () => Promise<T>): Promise<T> {
    const judge = () =>
      attempt().catch(async (error: unknown) => {
        await recordRefusal(error);
        throw error;
      });
    return this.attempts.run(request, { ...this.limits, key: userId, userId }, judge);
  }

  /**
   * Checks a proof as far as that needs no lock, and returns it for the transaction that calls {@link prove}.
   *
   * @throws ApiError the refusals of the method
   */
  async prepare(userId: string, proof: Proof): Promise<Proof> {
    const prepared: Record<string, unknown> = { ...proof };
    for (const { field, prepare } of this.kinds.methods) {
      const given = prepared[field];
      if (prepare && given !== undefined) prepared[field] = await prepare(userId, given);
    }
    return prepared;
  }

  /**
   * Checks a proof and uses it up, in a transaction that holds the lock on the user's row. Returns the names of
   * the proven methods (RFC 8176).
   *
   * @param locale the languages of the request, for a notice
   * @throws ApiError code_invalid, and the refusals of the method
   */
  async prove(
    manager: EntityManager,
    user: User,
    proof: Proof,
    locale?: string,
  ): Promise<string[]> {
    for (const { field, isAvailable, prove } of this.kinds.methods) {
      const value = (proof as Record<string, unknown>)[field];
      if (value === undefined) continue;
      // Kinds may share a field, such as that of a code.
      if (await isAvailable(manager, user.id)) return prove(manager, user, value, locale);
    }
    throw new ApiError('code_invalid', { msg: 'The account has no second factor of this kind' });
  }
}
