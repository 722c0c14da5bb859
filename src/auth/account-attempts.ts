import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { LoginFailure } from '../audit/failed-logins.js';
import { ApiError } from '../common/api-error.js';
import { networkOf } from '../common/network.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Count, Limit } from '../throttling/limit-store.js';
import { type RequestLike, RateLimits } from '../throttling/rate-limits.js';

/** The account that an attempt is for. */
export interface AttemptedAccount {
  limit: Limit;
  /** Beyond the limit, for one known network. */
  pair: Limit;
  /** The key by which the account counts. */
  key: string;
  /** Null if there is no such account. It is limited in the same way, and takes the same time. */
  userId: string | null;
}

/** The refusals that mean that a proof was wrong. All others are not counted. */
const WRONG: readonly string[] = [
  'code_invalid',
  'link_invalid',
  'passkey_invalid',
  'passkey_unknown',
] satisfies LoginFailure[];

/** Tells whether a refusal is about a wrong proof. */
export const isWrongProof = (error: unknown): error is ApiError & { code: LoginFailure } =>
  error instanceof ApiError && WRONG.includes(error.code);

/**
 * Limits the wrong proofs of an account over all its sign-ins. Each attempt is counted before it is judged, and a
 * right one is given back. Beyond the limit, only networks from which the account has signed in before may go on,
 * with a limit of their own. So an attacker does not lock the owner out, and a neighbour gets few guesses.
 */
@Injectable()
export class AccountAttempts {
  constructor(
    private readonly limits: RateLimits,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * Runs `judge`, and counts it if it refuses a proof.
   *
   * @throws ApiError too_many_requests, and the refusals of `judge`
   */
  async run<T>(
    request: RequestLike,
    account: AttemptedAccount,
    judge: () => Promise<T>,
  ): Promise<T> {
    if (this.limits.exempt(request)) return judge();
    const count = await this.begin(request, account);
    try {
      const result = await judge();
      await count.giveBack();
      return result;
    } catch (error) {
      if (!isWrongProof(error)) await count.giveBack();
      throw error;
    }
  }

  /** Counts an attempt that is about to be judged. @throws ApiError too_many_requests */
  private async begin(request: RequestLike, account: AttemptedAccount): Promise<Count> {
    const count = await this.limits.count(account.limit, account.key);
    if (count.allowed) return count;
    await count.giveBack();
    const network = this.limits.networkOf(request);
    const addresses = await this.sessions.addressesOf(account.userId ?? randomUUID());
    const isKnown = addresses.some((address) => networkOf(address) === network);
    if (!isKnown) throw this.limits.refusal(count);
    const pair = await this.limits.count(account.pair, JSON.stringify([account.key, network]));
    if (pair.allowed) return pair;
    await pair.giveBack();
    throw this.limits.refusal(pair);
  }
}
