import { createHmac } from 'node:crypto';
import {
  type RateLimiterAbstract,
  RateLimiterRedis,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Rate } from '../config/setting-types.js';
import { CounterKeys } from './counter-keys.js';
import type { RedisConnection } from './redis-connection.js';
import { SteadyRateLimiterMemory } from './steady-memory.js';

/** A limit: its name, which is public and counts as one over all routes, and its rate. */
export interface Limit extends Rate {
  name: string;
}

/** Where a counter stands. */
export interface CountState {
  limit: Limit;
  remaining: number;
  /** Whole seconds until the counter starts anew. */
  reset: number;
}

/** Where a counter stands after one more point, and how to take the point back. */
export interface Count extends CountState {
  /** Whether the point was still within the limit. */
  allowed: boolean;
  used: number;
  /** Takes the point back; nothing where the counter has started anew since. */
  giveBack(): Promise<void>;
}

/**
 * How many counters of one limit this process holds. `CounterKeys` says which ones go first beyond that.
 * Each limit has its own, so a flood of cheap requests pushes out no counts of wrong passwords.
 */
const COUNTERS = 10_000;

/**
 * rate-limiter-flexible's own script, but that a point which is given back to a counter that was
 * forgotten meanwhile leaves it at nothing, not below: whoever comes next gets no points from it.
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
 * The counters, by rate-limiter-flexible: in Redis where there is one, and in this process where there
 * is none or while it is away. Keys are kept as a keyed hash, so that neither holds a name or address.
 */
export class LimitStore {
  private readonly limiters = new Map<string, Limiters>();

  constructor(
    private readonly hashKey: Buffer,
    private readonly redis?: RedisConnection,
  ) {}

  /** Adds a point to the counter of `key`. One step, however many ask at once. */
  async add(limit: Limit, key: string): Promise<Count> {
    // `penalty`, for `consume` rejects where the limit is reached.
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
   * Blocks `key` for so many seconds from now. Of a limit that nothing is counted of: a point that is
   * given back would open it again.
   */
  async block(limit: Limit, key: string, seconds: number): Promise<void> {
    const [result, limiter] = await this.run(limit, key, (at, hashed) => at.block(hashed, seconds));
    this.keep(limit, key, limiter, result);
  }

  /** Whole seconds for which `key` is still blocked; 0 if it is not. Looking changes nothing. */
  async blockedFor(limit: Limit, key: string): Promise<number> {
    const [result] = await this.run(limit, key, (at, hashed) => at.get(hashed));
    return result && result.consumedPoints > 0 ? Math.ceil(result.msBeforeNext / 1000) : 0;
  }

  /** Lets the counter of `key` start anew. */
  async forget(limit: Limit, key: string): Promise<void> {
    await this.run(limit, key, (at, hashed) => at.delete(hashed));
    this.limitersOf(limit).keys.delete(this.hash(limit, key));
  }

  /** Takes a point back where it was counted, and nowhere else. */
  private async reward(limit: Limit, key: string, limiter: RateLimiterAbstract): Promise<void> {
    const hashed = this.hash(limit, key);
    const left = await limiter.reward(hashed).catch(() => undefined);
    if (left) this.keep(limit, key, limiter, left);
  }

  /** Notes where a counter in this process stands. An empty one would take the place of another. */
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
    const local = new SteadyRateLimiterMemory({ keyPrefix: '', points, duration });
    const limiters = {
      local,
      keys: new CounterKeys(COUNTERS, (dropped) => void local.delete(dropped)),
      shared:
        client &&
        new RateLimiterRedis({
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
