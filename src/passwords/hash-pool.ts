import { fileURLToPath } from 'node:url';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Piscina } from 'piscina';
import { ApiError } from '../common/api-error.js';
import { lazyPackage } from '../common/lazy-package.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { HashQueue } from './hash-queue.js';
import type * as worker from './hash-worker.js';

const piscina = lazyPackage('piscina') as () => typeof import('piscina');

/** The jobs of `hash-worker.js`, by name, and their results. */
type Work = typeof worker;
type Result<W extends keyof Work> = Awaited<ReturnType<Work[W]>>;

/** A thread that was idle for this long ends, in milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** The provider of the longest wait for a hash, in seconds. A request that would wait longer is refused. */
export const HASH_MAX_WAIT = 'HASH_MAX_WAIT';

/** How a caller waits for a hash. */
export interface HashOptions {
  /** Removes a waiting job from the queue. A job that has started runs to its end. */
  signal?: AbortSignal;
}

/**
 * Computes password hashes in threads of their own, so the event loop and libuv's threads, which SQLite reads
 * on, are free for other requests. The threads have the priority of the rest: the system's scheduler gives
 * each thread its share. At a lower priority, another busy process would starve logins.
 */
@Injectable()
export class HashPool implements OnApplicationShutdown {
  private readonly logger = new Logger(HashPool.name);
  private readonly queue: HashQueue;
  private threads: Piscina | undefined;
  private readonly running = new Set<Promise<unknown>>();
  private readonly hashTime;
  private readonly failed;

  constructor(
    private readonly config: Config,
    metrics: Metrics,
    @Inject(HASH_MAX_WAIT) maxWait: number,
  ) {
    this.queue = new HashQueue(config.hashing.threads, maxWait, metrics);
    this.hashTime = metrics.histogram({
      name: 'latchkey_hash_seconds',
      help: 'How long a password hash took to compute',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5],
    });
    this.failed = metrics.counter({
      name: 'latchkey_hash_failed_total',
      help: 'Passwords that were not hashed because their thread died',
    });
  }

  /**
   * Runs one job of the worker, after the jobs that came before.
   *
   * @throws ApiError overloaded if it could not start in time, unavailable if its thread died, client_gone if
   *   `signal` was aborted before the start
   */
  async run<W extends keyof Work>(
    work: W,
    input: Parameters<Work[W]>[0],
    { signal }: HashOptions = {},
  ): Promise<Result<W>['value']> {
    const threads = (this.threads ??= this.open());
    await this.queue.enter(signal);
    const result = threads.run(input, { name: work }) as Promise<Result<W>>;
    this.running.add(result);
    let seconds: number | undefined;
    try {
      const done = await result;
      seconds = done.seconds;
      this.hashTime.observe(seconds);
      if ('problem' in done && done.problem !== undefined) {
        this.logger.error(
          `A stored hash could not be verified, which counts as wrong: ${done.problem}`,
        );
      }
      return done.value;
    } catch (cause) {
      this.failed.inc();
      throw new ApiError('unavailable', { cause, headers: { 'Retry-After': '1' } });
    } finally {
      this.running.delete(result);
      this.queue.leave(seconds);
    }
  }

  /**
   * Refuses early, before other work is done for a hash that could not start in time.
   *
   * @throws ApiError overloaded
   */
  expectRoom({ signal }: HashOptions = {}): Promise<void> {
    return this.queue.expectRoom(signal);
  }

  /** Waits for the running hashes. The server has no requests left by now. */
  async onApplicationShutdown(): Promise<void> {
    this.queue.close();
    await Promise.allSettled(this.running);
    await this.threads?.destroy();
  }

  /** Makes the threads' pool with the first hash. It starts a thread for each job that finds none idle. */
  private open(): Piscina {
    const threads = new (piscina().Piscina)({
      filename: fileURLToPath(new URL('./hash-worker.js', import.meta.url)),
      minThreads: 0,
      maxThreads: this.config.hashing.threads,
      idleTimeout: IDLE_TIMEOUT,
      // Keeps an instrumentation of this process from being loaded in every thread.
      env: {},
      execArgv: [],
      // Far more than a hash takes. A runaway thread ends alone, and the process goes on.
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    // An idle thread has died. The next one takes its place.
    threads.on('error', (error) => {
      this.logger.error(error);
    });
    threads.on('workerDestroy', () => {
      setImmediate(() => void this.endStuck(threads));
    });
    return threads;
  }

  /** Ends jobs whose thread died while it started. They would wait forever. */
  private async endStuck(threads: Piscina): Promise<void> {
    if (this.running.size > 0 && threads.threads.length === 0) await threads.destroy();
  }
}
