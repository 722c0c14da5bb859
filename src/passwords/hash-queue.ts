import { Logger } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { Metrics } from '../common/metrics.js';
import { currentContext } from '../common/request-context.js';
import { hashPauses } from './hash-pauses.js';
import { RefusalDelay } from './refusal-delay.js';

/** The time between two log lines about refusals, in milliseconds. Each line gives their number. */
const LOG_INTERVAL = 60_000;

/** The weight of the last hash in the mean time of a hash. */
const WEIGHT = 0.2;

/**
 * Decides who may hash: `threads` callers at a time, the others in the order of their arrival, each after at
 * most `maxWait` seconds. A caller with a longer expected wait is refused at once.
 */
export class HashQueue {
  private readonly logger = new Logger(HashQueue.name);
  private readonly waiting = new Set<{ start(): void; refuse(error: ApiError): void }>();
  private running = 0;
  private closed = false;
  /** The moving mean of the time for one hash and the pause after it, in seconds. */
  private hashTime = 0;
  private unlogged = 0;
  private loggedAt = -Infinity;
  private readonly refusalDelay = new RefusalDelay();

  private readonly waited;
  private readonly refused;

  constructor(
    private readonly threads: number,
    private readonly maxWait: number,
    metrics: Metrics,
    private readonly pauseAfter = hashPauses(),
  ) {
    metrics.gauge({
      name: 'latchkey_hash_queue_length',
      help: 'Passwords that wait for a thread',
      collect: () => this.waiting.size,
    });
    this.waited = metrics.histogram({
      name: 'latchkey_hash_wait_seconds',
      help: 'How long passwords waited for a thread',
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    });
    this.refused = metrics.counter({
      name: 'latchkey_hash_refused_total',
      help: 'Passwords that were not hashed: the queue too long, the wait over, the client gone',
      labelNames: ['reason'],
    });
  }

  /**
   * Resolves when the caller may hash. The caller has to {@link leave} afterwards.
   *
   * @throws ApiError overloaded, client_gone once `signal` is aborted
   */
  async enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw this.gone();
    if (this.closed) throw new ApiError('unavailable');
    if (this.running < this.threads) {
      this.running++;
      this.waited.observe(0);
      return;
    }
    // No await if there is room: a thread that came free meanwhile would find the queue empty.
    if (this.isTooLong()) await this.turnAway(signal);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(entry);
        clearTimeout(timer);
        signal?.removeEventListener('abort', drop);
      };
      const entry = {
        start: (): void => {
          leave();
          this.waited.observe((performance.now() - began) / 1000);
          resolve();
        },
        refuse: (error: ApiError): void => {
          leave();
          reject(error);
        },
      };
      const drop = (): void => {
        entry.refuse(this.gone());
      };
      const timer = setTimeout(() => {
        entry.refuse(this.overloaded('wait'));
      }, this.maxWait * 1000);
      signal?.addEventListener('abort', drop);
      this.waiting.add(entry);
    });
  }

  /**
   * Lets the next caller in, after a pause if other requests need the processor. `seconds` is the time that the hash
   * took, if it was computed.
   */
  leave(seconds?: number): void {
    let pause = 0;
    if (seconds !== undefined) {
      if (this.waiting.size > 0) pause = this.pauseAfter(seconds * 1000);
      const weight = this.hashTime === 0 ? 1 : WEIGHT;
      this.hashTime += weight * (seconds + pause / 1000 - this.hashTime);
    }
    const startNext = () => {
      const [next] = this.waiting;
      if (next) next.start();
      else this.running--;
    };
    if (pause > 0) setTimeout(startNext, pause);
    else startNext();
  }

  /** Refuses all waiting and future callers. */
  close(): void {
    this.closed = true;
    for (const entry of this.waiting) entry.refuse(new ApiError('unavailable'));
  }

  /**
   * Refuses a caller whose expected wait is too long.
   *
   * @throws ApiError overloaded
   */
  async expectRoom(signal?: AbortSignal): Promise<void> {
    if (this.isTooLong()) await this.turnAway(signal);
  }

  private isTooLong(): boolean {
    return this.expectedWait() > this.maxWait;
  }

  private async turnAway(signal?: AbortSignal): Promise<never> {
    const refusal = this.overloaded('queue');
    await this.refusalDelay.delay(currentContext().address, this.retryAfter(), signal);
    throw refusal;
  }

  /** Returns the seconds until a new caller would start, if hashes go on to take their mean time. */
  private expectedWait(): number {
    if (this.running < this.threads) return 0;
    return ((this.waiting.size + 1) / this.threads) * this.hashTime;
  }

  private overloaded(reason: 'queue' | 'wait'): ApiError {
    this.refused.inc({ reason });
    this.unlogged++;
    const now = performance.now();
    if (now - this.loggedAt > LOG_INTERVAL) {
      this.logger.warn(`More passwords than can be hashed in time: ${this.unlogged} refused`);
      this.unlogged = 0;
      this.loggedAt = now;
    }
    return new ApiError('overloaded', { headers: { 'Retry-After': String(this.retryAfter()) } });
  }

  /** Returns the `Retry-After` for a refused caller, in seconds. */
  private retryAfter(): number {
    return Math.max(1, Math.ceil(this.expectedWait()));
  }

  private gone(): ApiError {
    this.refused.inc({ reason: 'client' });
    return new ApiError('client_gone');
  }
}
