import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { networkOf } from '../common/network.js';
import type { RequestContext } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { Keyring } from '../keys/keyring.js';
import { type Count, type CountState, type Limit, LimitStore } from './limit-store.js';
import { RedisConnection } from './redis-connection.js';

/** A request, or anything else that runs in a request's context. */
export interface RequestLike {
  origin?: { readonly context: Readonly<RequestContext> };
}

/** Counts the requests of clients and refuses those beyond a limit. */
@Injectable()
export class RateLimits implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RateLimits.name);
  private readonly redis: RedisConnection | undefined;
  private readonly store: LimitStore;
  private readonly declared = new Map<string, Limit>();
  private readonly limited;

  constructor(
    private readonly config: Config,
    keyring: Keyring,
    metrics: Metrics,
  ) {
    this.redis = config.redisUrl ? new RedisConnection(config.redisUrl, this.logger) : undefined;
    this.store = new LimitStore(keyring.derive('latchkey rate limits', ''), this.redis);
    this.limited = metrics.counter({
      name: 'latchkey_rate_limited_total',
      help: 'Requests refused, and mails left out, by a rate limit',
      labelNames: ['limit'],
    });
    for (const [name, rate] of Object.entries(config.limits)) this.declare({ name, ...rate });
  }

  async onModuleInit(): Promise<void> {
    if (this.config.rateLimits === 'off') this.logger.warn('Rate limits are off (RATE_LIMITS=off)');
    else if (this.exemptsThisMachine) {
      this.logger.log('Not in production: requests from this machine are not rate limited');
    }
    await this.redis?.open();
  }

  onApplicationShutdown(): void {
    this.redis?.close();
  }

  /**
   * Registers a limit by its name, at the start.
   *
   * @throws Error if the name is invalid, or another rate has it
   */
  declare(limit: Limit): Limit {
    const { name, points, seconds } = limit;
    if (!/^[a-z][\w-]{0,63}$/i.test(name)) throw new Error(`"${name}" cannot be a limit's name`);
    const known = this.declared.get(name) ?? limit;
    if (known.points !== points || known.seconds !== seconds) {
      throw new Error(`The limit "${name}" is declared with two rates`);
    }
    this.declared.set(name, known);
    return known;
  }

  /**
   * Returns a limit from the settings, or a declared one.
   *
   * @throws Error if there is no such limit
   */
  named(name: string): Limit {
    const limit = this.declared.get(name);
    if (!limit) throw new Error(`There is no limit "${name}"`);
    return limit;
  }

  /**
   * Tells whether a request is exempt from all limits: by `RATE_LIMITS`, or because it comes from this
   * machine. A header that names the client's address cannot exempt a request.
   */
  exempt({ origin }: RequestLike): boolean {
    return (
      this.config.rateLimits === 'off' ||
      (this.exemptsThisMachine && origin?.context.local === true)
    );
  }

  /** Returns the network by which a request counts; see {@link networkOf}. */
  networkOf({ origin }: RequestLike): string {
    return networkOf(origin?.context.address ?? '') ?? '';
  }

  /** Counts one more for `key`, without exemptions. The caller refuses the request if `allowed` is false. */
  count(limit: Limit, key: string): Promise<Count> {
    return this.store.add(limit, key);
  }

  /**
   * Counts one more for `key`, for limits whose key is known only inside a handler, such as a name in a
   * validated body.
   *
   * @throws ApiError too_many_requests
   */
  async take(request: RequestLike, limit: Limit, key: string): Promise<Count | undefined> {
    if (this.exempt(request)) return undefined;
    const count = await this.count(limit, key);
    if (!count.allowed) throw this.refusal(count);
    return count;
  }

  /** Counts one more for `key`. Returns false beyond the limit. For limits that no answer shows. */
  async allows(request: RequestLike, limit: Limit, key: string): Promise<boolean> {
    if (this.exempt(request)) return true;
    const { allowed } = await this.count(limit, key);
    if (!allowed) this.limited.inc({ limit: limit.name });
    return allowed;
  }

  /** Blocks `key` for so many seconds from now; see {@link LimitStore.block}. */
  block(limit: Limit, key: string, seconds: number): Promise<void> {
    return this.store.block(limit, key, seconds);
  }

  /** Returns the whole seconds for which `key` is still blocked, or 0. */
  blockedFor(limit: Limit, key: string): Promise<number> {
    return this.store.blockedFor(limit, key);
  }

  /** Restarts the counter of `key`. */
  forget(limit: Limit, key: string): Promise<void> {
    return this.store.forget(limit, key);
  }

  /** Returns the 429 for a count beyond its limit. It does not reveal what was counted. */
  refusal(count: CountState): ApiError {
    this.limited.inc({ limit: count.limit.name });
    const headers = { 'Retry-After': String(count.reset), ...rateLimitHeaders([count]) };
    return new ApiError('too_many_requests', { headers });
  }

  /** Whether requests from this machine are exempt. */
  private get exemptsThisMachine(): boolean {
    return this.config.rateLimits === 'auto' && !this.config.production;
  }
}

/** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4). */
export function rateLimitHeaders(counts: CountState[]): Record<string, string> {
  const policy = ({ limit }: CountState) => `"${limit.name}";q=${limit.points};w=${limit.seconds}`;
  const state = ({ limit, remaining, reset }: CountState) =>
    `"${limit.name}";r=${remaining};t=${reset}`;
  return {
    'RateLimit-Policy': counts.map(policy).join(', '),
    RateLimit: counts.map(state).join(', '),
  };
}
