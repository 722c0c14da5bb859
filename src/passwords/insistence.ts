import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { networkOf } from '../common/network.js';

/** How many refusals of one network are told at once, in the time it was told to wait. */
const AT_ONCE = 50;

/** How long each further one is held, in milliseconds. */
const HOLD = 250;

/** Networks that are remembered: a stranger who has more of them is no better off for each. */
const MAX = 10_000;

/**
 * Slows down clients that come back at once, whatever `Retry-After` says: a refusal costs so little to
 * get that a few of them would take the server from everybody else.
 */
export class Insistence {
  private readonly refusals = new LRUCache<string, number>({ max: MAX, noUpdateTTL: true });

  /**
   * Resolves when a client at `address` is to be told to come back after `seconds`: at once, but for
   * a network that has been told so {@link AT_ONCE} times and is back before that; and for whoever is
   * gone (`signal`), since nobody waits then.
   */
  async delay(address: string | null, seconds: number, signal?: AbortSignal): Promise<void> {
    const network = address === null ? undefined : networkOf(address);
    if (network === undefined) return;
    const refusals = (this.refusals.get(network) ?? 0) + 1;
    this.refusals.set(network, refusals, { ttl: seconds * 1000 });
    if (refusals > AT_ONCE) await sleep(HOLD, undefined, { signal }).catch(() => undefined);
  }
}
