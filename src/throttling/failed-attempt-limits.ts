import { EventEmitter, once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { DAY } from '../config/setting-schemas.js';
import type { Count, Limit } from './limit-store.js';
import { RateLimits } from './rate-limits.js';

/** The longest wait after repeated failures of one address for one username, in seconds. */
const LONGEST_WAIT = 3_600;

/** The client that tries a password, and the account that it tries. */
export interface PasswordAttempt {
  /** The client's network; see `RateLimits.networkOf`. */
  network: string;
  /**
   * Returns the key of the account, which may not exist. It is called only if the network may try at all,
   * so a flood from one network costs the database no query.
   */
  account: () => Promise<string>;
  /** Tells whether the account has signed in from this network before. Asked only if it matters. */
  isKnown: () => Promise<boolean>;
}

/** The result of an attempt; `unknown` if it was not judged, such as under overload. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'unknown';

/** An attempt that may be made. The caller has to report its outcome. */
export interface AdmittedAttempt {
  finish(outcome: AttemptOutcome): Promise<void>;
}

/**
 * Limits wrong passwords, not right ones. Each attempt is counted before it is judged, so parallel attempts are
 * never judged beyond the limit. An attempt that was not wrong is given back.
 *
 * Three limits hold. The first counts a network. The second counts a network at one account; its wait doubles
 * each time that it is reached within a day. The third counts an account over all networks. Beyond it, a
 * network from which the account has never signed in gets one try a minute. Strangers can slow down each
 * other, but they cannot lock out the owner.
 */
@Injectable()
export class FailedAttemptLimits {
  private readonly address: Limit;
  private readonly pair: Limit;
  private readonly account: Limit;
  private readonly slow: Limit;
  /** How often a pair of network and account reached its limit in a day. */
  private readonly strikes: Limit;
  /** The pairs that have to wait after that. */
  private readonly waits: Limit;
  private readonly maxWait: number;

  /**
   * The number of attempts that this process is judging, by counter. An event of the counter's name says that
   * one is done.
   */
  private readonly running = new Map<string, number>();
  private readonly done = new EventEmitter().setMaxListeners(0);
  private finished = 0;

  constructor(private readonly limits: RateLimits) {
    this.address = limits.named('failedAddress');
    this.pair = limits.named('failedPair');
    this.account = limits.named('failedUsername');
    this.slow = limits.named('failedSlow');
    this.strikes = limits.declare({ name: 'failedPairStrikes', points: 1_000_000, seconds: DAY });
    this.waits = limits.declare({ name: 'failedPairWaits', points: 1, seconds: DAY });
    this.maxWait = Math.max(LONGEST_WAIT, this.pair.seconds);
  }

  /**
   * Counts an attempt that is about to be judged.
   *
   * @throws ApiError too_many_requests
   */
  async begin({ network, account: ask, isKnown }: PasswordAttempt): Promise<AdmittedAttempt> {
    const counts: Count[] = [];
    const places: string[] = [];
    const leave = async (giveBack: boolean): Promise<void> => {
      if (giveBack) await Promise.all(counts.map((count) => count.giveBack()));
      this.finished++;
      for (const place of places) this.vacate(place);
    };
    const enter = async (limit: Limit, key: string, check?: () => Promise<void>) => {
      const place = `${limit.name} ${key}`;
      const count = await this.admit(limit, key, place, check);
      counts.push(count);
      places.push(place);
      return count;
    };
    try {
      await enter(this.address, network);
      const account = await ask();
      const pairKey = `${network} ${account}`;
      const ofPair = await enter(this.pair, pairKey, () => this.refuseWaiting(pairKey));
      counts.push(...(await this.admitToAccount(account, isKnown)));
      return {
        finish: async (outcome) => {
          if (outcome === 'failed' && ofPair.remaining === 0) await this.strike(pairKey);
          await leave(outcome !== 'failed');
          if (outcome !== 'succeeded') return;
          await this.limits.forget(this.pair, pairKey);
          await this.limits.forget(this.strikes, pairKey);
        },
      };
    } catch (error) {
      await leave(true);
      throw error;
    }
  }

  /**
   * Counts one more attempt. If the limit is reached only because other attempts are being judged, it waits for
   * them: a classroom that signs in at once has not failed.
   */
  private async admit(
    limit: Limit,
    key: string,
    place: string,
    check?: () => Promise<void>,
  ): Promise<Count> {
    for (;;) {
      await check?.();
      const before = this.finished;
      const count = await this.limits.count(limit, key);
      if (count.allowed) {
        this.running.set(place, (this.running.get(place) ?? 0) + 1);
        return count;
      }
      await count.giveBack();
      if (this.running.has(place)) await once(this.done, place);
      else if (this.finished === before) throw this.limits.refusal(count);
    }
  }

  private vacate(place: string): void {
    const left = (this.running.get(place) ?? 0) - 1;
    if (left > 0) this.running.set(place, left);
    else this.running.delete(place);
    this.done.emit(place);
  }

  private async admitToAccount(
    account: string,
    isKnown: PasswordAttempt['isKnown'],
  ): Promise<Count[]> {
    const count = await this.limits.count(this.account, account);
    if (count.allowed) return [count];
    await count.giveBack();
    if (await isKnown()) return [];
    const slow = await this.limits.count(this.slow, account);
    if (slow.allowed) return [slow];
    throw this.limits.refusal(slow);
  }

  /** Records the last failed attempt that the limit allowed. The wait doubles with each such attempt in a day. */
  private async strike(pairKey: string): Promise<void> {
    const { used } = await this.limits.count(this.strikes, pairKey);
    const wait = Math.min(this.pair.seconds * 2 ** (used - 1), this.maxWait);
    await this.limits.block(this.waits, pairKey, wait);
  }

  /**
   * Refuses a pair that has not waited for long enough.
   *
   * @throws ApiError too_many_requests
   */
  private async refuseWaiting(pairKey: string): Promise<void> {
    const reset = await this.limits.blockedFor(this.waits, pairKey);
    if (reset > 0) throw this.limits.refusal({ limit: this.pair, remaining: 0, reset });
  }
}
