import {
  type BeforeApplicationShutdown,
  type Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type Backoff, backoff } from '../common/backoff.js';
import { clock } from '../common/clock.js';
import { QueueRunner } from './queue-runner.js';
import type { DailyCleanup } from '../common/daily-cleanup.js';
import type { Metrics } from '../common/metrics.js';
import { RecurringTask } from '../common/recurring-task.js';
import type { OutboxRow } from './outbox-row.js';
import type { OutboxRows } from './outbox-rows.js';

/**
 * The time between two looks into an outbox, for rows of other instances and rows that are due again, in
 * milliseconds.
 */
const INTERVAL = 5_000;

/** The meaning of a failed try. */
export interface DeliveryFailure {
  /** Whether another try of this row would be in vain. */
  permanent: boolean;
  /** Whether the failure is not about this row: the server was not reached, or refuses every row. */
  ofServer: boolean;
  /** A text for the log and the outbox, without the server's own words, which may quote anything. */
  text: string;
  /** The wait that the server asks for, in milliseconds. */
  retryAfter?: number;
}

/** The parameters of an outbox worker; times in milliseconds. */
export interface OutboxWork {
  /** Whether there is a receiver. Otherwise the worker only deletes old rows. */
  sends: boolean;
  /** The name in the log, such as `Mail`. */
  noun: string;
  /** The beginning of its metrics' names, such as `latchkey_mail`. */
  metric: string;
  /** The number of deliveries at a time. */
  concurrency: number;
  /** The longest time of one try. It is shorter than the rows' lease. */
  longestTry: number;
  /** How long a stop waits for running tries. */
  grace: number;
  waits: Backoff;
  /** Whether a row that expired before its first try is tried once all the same. */
  triesLate: boolean;
}

/** Delivers the rows of an outbox. Every instance has a worker, and two workers never hold the same row. */
export abstract class OutboxWorker<T extends OutboxRow>
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  private readonly stopping = new AbortController();
  private readonly runner: QueueRunner<T>;
  private readonly counting: RecurringTask;
  private readonly results;
  private unreachable = false;
  private waiting: Awaited<ReturnType<OutboxRows<T>['pending']>> = { count: 0, oldest: undefined };

  protected constructor(
    private readonly outbox: OutboxRows<T>,
    private readonly work: OutboxWork,
    protected readonly logger: Logger,
    { metrics, cleanup }: { metrics: Metrics; cleanup: DailyCleanup },
  ) {
    const { noun, metric } = work;
    const take = () => this.outbox.take();
    const handle = (row: T) => this.try(row);
    this.runner = new QueueRunner(
      `Sending (${noun})`,
      work.concurrency,
      INTERVAL,
      { take, handle },
      logger,
    );
    const count = async () => {
      this.waiting = await this.outbox.pending();
    };
    this.counting = new RecurringTask(`Counting the outbox (${noun})`, INTERVAL, count, logger);
    cleanup.add(`Cleaning the outbox (${noun})`, () => this.outbox.clean());
    this.results = metrics.counter({
      name: `${metric}_total`,
      help: 'Tries to send one, by how they ended: sent, retried, failed (given up)',
      labelNames: ['result'],
    });
    metrics.gauge({
      name: `${metric}_outbox_pending`,
      help: 'How many wait to be sent, of all instances',
      collect: () => this.waiting.count,
    });
    metrics.gauge({
      name: `${metric}_outbox_oldest_seconds`,
      help: 'How long the oldest of them has waited',
      collect: () => {
        const { oldest } = this.waiting;
        return oldest ? Math.max(0, clock.now() - oldest.getTime()) / 1000 : 0;
      },
    });
  }

  onApplicationBootstrap(): void {
    if (!this.work.sends) return;
    this.runner.start();
    this.counting.start(0);
  }

  /** Lets the running tries end, within a few seconds. */
  async beforeApplicationShutdown(): Promise<void> {
    const cut = setTimeout(() => {
      this.stopping.abort();
    }, this.work.grace);
    await Promise.all([this.runner.stop(), this.counting.stop()]);
    clearTimeout(cut);
  }

  /** Looks into the outbox now, for rows that were just stored. */
  wake(): void {
    this.runner.wake();
  }

  /**
   * Hands a row over. Rejects if the other server has not taken it. Resolves to false if the row needed no
   * delivery and is gone already.
   */
  protected abstract deliver(row: T, signal: AbortSignal): Promise<boolean>;

  /** Returns the meaning of an error of {@link deliver}. */
  protected abstract failureOf(error: unknown): DeliveryFailure;

  /** Returns the kind of a row, in a word for the log. */
  protected abstract kindOf(row: T): string;

  /** Sends a row, or puts it back. Resolves to false if the next row should wait. */
  private async try(row: T): Promise<boolean> {
    const last = this.work.triesLate && row.attempts === 1;
    if (row.expiresAt <= clock.date() && !last) {
      await this.giveUp(row, row.failure ?? 'It could not be sent in time');
      return true;
    }
    const limits = [this.stopping.signal, AbortSignal.timeout(this.work.longestTry)];
    try {
      if (!(await this.deliver(row, AbortSignal.any(limits)))) return true;
    } catch (error) {
      return this.putBack(row, error);
    }
    await this.outbox.drop(row);
    this.results.inc({ result: 'sent' });
    this.unreachable = false;
    return true;
  }

  private async putBack(row: T, error: unknown): Promise<boolean> {
    const { permanent, ofServer, text, retryAfter = 0 } = this.failureOf(error);
    if (permanent) {
      await this.giveUp(row, text);
      return true;
    }
    const { waits } = this.work;
    const asked = Math.min(retryAfter, waits.last);
    const wait = this.stopping.signal.aborted ? 0 : Math.max(backoff(row.attempts, waits), asked);
    const due = Math.min(clock.now() + wait, row.expiresAt.getTime());
    await this.outbox.putBack(row, text, new Date(due));
    this.results.inc({ result: 'retried' });
    const known = ofServer ? this.unreachable : row.attempts > 1;
    if (!known) this.logger.warn(`${this.name(row)} is tried again: ${text}`);
    if (ofServer) this.unreachable = true;
    return !ofServer;
  }

  private async giveUp(row: T, failure: string): Promise<void> {
    await this.outbox.giveUp(row, failure);
    this.results.inc({ result: 'failed' });
    this.logger.warn(`${this.name(row)} was given up: ${failure}`);
  }

  private name(row: T): string {
    return `${this.work.noun} ${row.id} (${this.kindOf(row)})`;
  }
}
