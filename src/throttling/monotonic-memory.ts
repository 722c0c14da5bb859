import type { IRateLimiterOptions, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { lazyPackage } from '../common/lazy-package.js';

/** The library, which loads with the first request that is counted. */
export const rateLimiters = lazyPackage(
  'rate-limiter-flexible',
) as () => typeof import('rate-limiter-flexible');

interface Counter {
  points: number;
  /** When the counter ends, by `performance.now()`. */
  ends: number;
}

/**
 * Returns rate-limiter-flexible's counters in memory, but with a clock that cannot be set. With the original, a jump
 * of the machine's time restarts counters or prolongs them. An expired counter stays until it is read or
 * deleted, so its owner has to bound the number of counters.
 */
export function monotonicMemory(options: IRateLimiterOptions): RateLimiterMemory {
  const limiter = new (rateLimiters().RateLimiterMemory)(options);
  return Object.assign(limiter, { _memoryStorage: new MonotonicStorage() });
}

/** The storage that `RateLimiterMemory` expects; durations in seconds. */
class MonotonicStorage {
  private readonly counters = new Map<string, Counter>();

  incrby(key: string, points: number, duration: number): RateLimiterRes {
    const counter = this.living(key);
    if (!counter) return this.set(key, points, duration);
    counter.points += points;
    return answer(counter);
  }

  set(key: string, points: number, duration: number): RateLimiterRes {
    const counter = { points, ends: performance.now() + duration * 1000 };
    this.counters.set(key, counter);
    return answer(counter, true);
  }

  get(key: string): RateLimiterRes | null {
    const counter = this.living(key);
    return counter ? answer(counter) : null;
  }

  delete(key: string): boolean {
    return this.counters.delete(key);
  }

  private living(key: string): Counter | undefined {
    const counter = this.counters.get(key);
    if (!counter || counter.ends > performance.now()) return counter;
    this.counters.delete(key);
    return undefined;
  }
}

const answer = ({ points, ends }: Counter, first = false): RateLimiterRes =>
  new (rateLimiters().RateLimiterRes)(0, Math.ceil(ends - performance.now()), points, first);
