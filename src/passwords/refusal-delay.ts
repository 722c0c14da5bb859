import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { networkOf } from '../common/network.js';

/** The number of refusals of one network that are answered at once, within the time it was told to wait. */
const AT_ONCE = 50;

/** The delay of each further refusal, in milliseconds. */
const DELAY = 250;

/** The number of networks that are remembered. An attacker with more of them has no advantage. */
const MAX = 10_000;

/**
 * Slows down clients that ignore `Retry-After`. A refusal is so cheap to get that a few such clients would
 * otherwise take the server from all others.
 */
export class RefusalDelay {
  private readonly refusals = new LRUCache<string, number>({ max: MAX, noUpdateTTL: true });

  /**
   * Resolves when a client at `address` is to be told to retry after `seconds`. It resolves at once, except
   * for a network that was told so {@link AT_ONCE} times and comes back too early. If the client has gone
   * (`signal`), it resolves at once as well.
   */
  async delay(address: string | null, seconds: number, signal?: AbortSignal): Promise<void> {
    const network = address === null ? undefined : networkOf(address);
    if (network === undefined) return;
    const refusals = (this.refusals.get(network) ?? 0) + 1;
    this.refusals.set(network, refusals, { ttl: seconds * 1000 });
    if (refusals > AT_ONCE) await sleep(DELAY, undefined, { signal }).catch(() => undefined);
  }
}
