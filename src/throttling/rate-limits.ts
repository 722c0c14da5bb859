import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { networkOf } from '../common/network.js';
import type { RequestContext } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { Keyring } from '../keys/keyring.js';
import { type Count, type CountState, type Limit, LimitStore } from './limit-store.js';
import { RedisConnection } from './redis-connection.js';

/** A request, or whatever else runs in the context of one. */
export interface Asker {
  origin?: { readonly context: Readonly<RequestContext> };
}

/** Counts what clients ask for and refuses what is too much. */
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
    else if (this.spares) {
      this.logger.log('Not in production: requests from this machine are not rate limited');
    }
    await this.redis?.open();
  }

  onApplicationShutdown(): void {
    this.redis?.close();
  }

  /**
   * Makes a limit known by its name, at the start.
   *
   * @throws Error where the name is taken by another rate, or is no name
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

  /** A limit of the settings, or one that was declared. @throws Error where there is none */
  named(name: string): Limit {
    const limit = this.declared.get(name);
    if (!limit) throw new Error(`There is no limit "${name}"`);
    return limit;
  }

  /**
   * Whether no limit holds for a request: by `RATE_LIMITS`, or because it comes from this machine. A
   * header that names the client's address cannot free a request.
   */
  exempt({ origin }: Asker): boolean {
    return this.config.rateLimits === 'off' || (this.spares && origin?.context.local === true);
  }

  /** What a request's address counts as, see {@link networkOf}. */
  networkOf({ origin }: Asker): string {
    return networkOf(origin?.context.address ?? '') ?? '';
  }

  /** One more for `key`, whoever asks; the caller refuses it where it is not allowed. */
  count(limit: Limit, key: string): Promise<Count> {
    return this.store.add(limit, key);
  }

  /**
   * One more for `key`; for limits that are known only inside a handler, such as by a name in a body
   * that had to be checked first.
   *
   * @throws ApiError too_many_requests
   */
  async take(request: Asker, limit: Limit, key: string): Promise<Count | undefined> {
    if (this.exempt(request)) return undefined;
    const count = await this.count(limit, key);
    if (!count.allowed) throw this.refusal(count);
    return count;
  }

  /** Counts one more for `key`; false if that is too many. For limits that no answer shows. */
  async allows(request: Asker, limit: Limit, key: string): Promise<boolean> {
    if (this.exempt(request)) return true;
    const { allowed } = await this.count(limit, key);
    if (!allowed) this.limited.inc({ limit: limit.name });
    return allowed;
  }

  /** Blocks `key` for so many seconds from now, see {@link LimitStore.block}. */
  block(limit: Limit, key: string, seconds: number): Promise<void> {
    return this.store.block(limit, key, seconds);
  }

  /** Whole seconds for which `key` is still blocked; 0 where it is not. */
  blockedFor(limit: Limit, key: string): Promise<number> {
    return this.store.blockedFor(limit, key);
  }

  /** Lets the counter of `key` start anew. */
  forget(limit: Limit, key: string): Promise<void> {
    return this.store.forget(limit, key);
  }

  /** The 429 of a count that is not allowed. It says nothing of what the count is of. */
  refusal(count: CountState): ApiError {
    this.limited.inc({ limit: count.limit.name });
    const headers = { 'Retry-After': String(count.reset), ...rateLimitHeaders([count]) };
    return new ApiError('too_many_requests', { headers });
  }

  /** Whether requests from this machine are spared. */
  private get spares(): boolean {
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
