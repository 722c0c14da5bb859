import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from '../config/rate.js';
import { CounterKeys } from './counter-keys.js';
import type { RedisConnection } from './redis-connection.js';
import { monotonicMemory, rateLimiters } from './monotonic-memory.js';

/** A limit: its public name, which stands for one count over all routes, and its rate. */
export interface Limit extends Rate {
  name: string;
}

/** The state of a counter. */
export interface CountState {
  limit: Limit;
  remaining: number;
  /** Whole seconds until the counter restarts. */
  reset: number;
}

/** The state of a counter after one more point, with the way to take the point back. */
export interface Count extends CountState {
  /** Whether the point was within the limit. */
  allowed: boolean;
  used: number;
  /** Takes the point back. Does nothing if the counter has restarted since. */
  giveBack(): Promise<void>;
}

/**
 * The number of counters of one limit in this process. `CounterKeys` decides which ones go first beyond it.
 * Each limit has its own, so a flood of cheap requests pushes out no counts of wrong passwords.
 */
const COUNTERS = 10_000;

/**
 * rate-limiter-flexible's own script, with one change. A point that is given back to a forgotten counter
 * leaves it at zero and not below, so the next client gets no extra points.
 */
const COUNT = `
redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local consumed = redis.call('incrby', KEYS[1], ARGV[1])
if consumed < 0 then
  redis.call('set', KEYS[1], 0, 'KEEPTTL')
  consumed = 0
end
return {consumed, redis.call('pttl', KEYS[1])}
`;

interface Limiters {
  local: RateLimiterAbstract;
  /** The keys of `local`, which has no bound of its own. */
  keys: CounterKeys;
  shared: RateLimiterAbstract | undefined;
}

/**
 * Holds the counters, by rate-limiter-flexible: in Redis if it is set, and otherwise, or while Redis is down,
 * in this process. Keys are stored as keyed hashes, so neither place holds a name or address.
 */
export class LimitStore {
  private readonly limiters = new Map<string, Limiters>();

  private readonly hashKey: KeyObject;

  constructor(
    hashKey: Buffer,
    private readonly redis?: RedisConnection,
  ) {
    this.hashKey = createSecretKey(hashKey);
  }

  /** Adds a point to the counter of `key`, in one atomic step. */
  async add(limit: Limit, key: string): Promise<Count> {
    // `penalty`, because `consume` rejects when the limit is reached.
    const [result, limiter] = await this.run(limit, key, (at, hashed) => at.penalty(hashed));
    this.keep(limit, key, limiter, result);
    const ends = performance.now() + result.msBeforeNext;
    return {
      limit,
      allowed: result.consumedPoints <= limit.points,
      used: result.consumedPoints,
      remaining: result.remainingPoints,
      reset: Math.max(1, Math.ceil(result.msBeforeNext / 1000)),
      giveBack: async () => {
        if (performance.now() < ends) await this.reward(limit, key, limiter);
      },
    };
  }

  /**
   * Blocks `key` for so many seconds from now. Use it only for a limit that counts no requests: a point that
   * is given back would open it again.
   */
  async block(limit: Limit, key: string, seconds: number): Promise<void> {
    const [result, limiter] = await this.run(limit, key, (at, hashed) => at.block(hashed, seconds));
    this.keep(limit, key, limiter, result);
  }

  /** Returns the whole seconds for which `key` is still blocked, or 0. Changes nothing. */
  async blockedFor(limit: Limit, key: string): Promise<number> {
    const [result] = await this.run(limit, key, (at, hashed) => at.get(hashed));
    return result && result.consumedPoints > 0 ? Math.ceil(result.msBeforeNext / 1000) : 0;
  }

  /** Restarts the counter of `key`. */
  async forget(limit: Limit, key: string): Promise<void> {
    await this.run(limit, key, (at, hashed) => at.delete(hashed));
    this.limitersOf(limit).keys.delete(this.hash(limit, key));
  }

  /** Takes a point back in the store that counted it, and in no other. */
  private async reward(limit: Limit, key: string, limiter: RateLimiterAbstract): Promise<void> {
    const hashed = this.hash(limit, key);
    const left = await limiter.reward(hashed).catch(() => undefined);
    if (left) this.keep(limit, key, limiter, left);
  }

  /**
   * Records the state of a counter in this process. An empty counter is dropped, as it would take the place
   * of another.
   */
  private keep(limit: Limit, key: string, limiter: RateLimiterAbstract, at: RateLimiterRes): void {
    const { local, keys } = this.limitersOf(limit);
    if (limiter !== local) return;
    const hashed = this.hash(limit, key);
    if (at.consumedPoints > 0) keys.use(hashed, at.consumedPoints, limit.points, at.msBeforeNext);
    else {
      keys.delete(hashed);
      void local.delete(hashed);
    }
  }

  private async run<T>(
    limit: Limit,
    key: string,
    work: (limiter: RateLimiterAbstract, key: string) => Promise<T>,
  ): Promise<[result: T, limiter: RateLimiterAbstract]> {
    const { local, shared } = this.limitersOf(limit);
    const hashed = this.hash(limit, key);
    if (shared) {
      try {
        const result = await work(shared, hashed);
        this.redis?.works();
        return [result, shared];
      } catch (error) {
        this.redis?.fails(error);
      }
    }
    return [await work(local, hashed), local];
  }

  private limitersOf(limit: Limit): Limiters {
    const known = this.limiters.get(limit.name);
    if (known) return known;
    const { name, points, seconds: duration } = limit;
    const client = this.redis?.client;
    const local = monotonicMemory({ keyPrefix: '', points, duration });
    const limiters = {
      local,
      keys: new CounterKeys(COUNTERS, (dropped) => void local.delete(dropped)),
      shared:
        client &&
        new (rateLimiters().RateLimiterRedis)({
          keyPrefix: `latchkey:limit:${name}`,
          points,
          duration,
          storeClient: client,
          rejectIfRedisNotReady: true,
          customIncrTtlLuaScript: COUNT,
        }),
    };
    this.limiters.set(name, limiters);
    return limiters;
  }

  private hash({ name }: Limit, key: string): string {
    const mac = createHmac('sha256', this.hashKey).update(`${name}\0${key}`);
    return mac.digest('base64url').slice(0, 22);
  }
}
