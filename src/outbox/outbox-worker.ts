import {
  type BeforeApplicationShutdown,
  type Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type Backoff, backoff } from '../common/backoff.js';
import { clock } from '../common/clock.js';
import { Lanes } from './lanes.js';
import type { Metrics } from '../common/metrics.js';
import { Recurring } from '../common/recurring.js';
import type { OutboxRow } from './outbox-row.js';
import type { OutboxRows } from './outbox-rows.js';

/** How often an outbox is looked into for what other instances left, or what is due again. */
const INTERVAL = 5_000;
const DAY = 86_400_000;
/** For servers that never run for a whole day. */
const FIRST_CLEANING = 60_000;

/** What a failed try means. */
export interface DeliveryFailure {
  /** Another try of this one would be in vain. */
  permanent: boolean;
  /** It is not about this one: the server was not reached, or turns away whatever comes. */
  ofServer: boolean;
  /** For the log and the outbox: nothing of what the server said, which may quote anything. */
  text: string;
  /** How many milliseconds the server asks to wait. */
  retryAfter?: number;
}

/** How an outbox is worked through; times in milliseconds. */
export interface OutboxWork {
  /** Whether there is somebody to deliver to; otherwise old rows are forgotten, and that is all. */
  sends: boolean;
  /** `Mail`, in the log. */
  noun: string;
  /** What its metrics begin with: `latchkey_mail`. */
  metric: string;
  /** How many are delivered at a time. */
  lanes: number;
  /** How long one try may take; under the lease of the rows. */
  longestTry: number;
  /** How long a stop waits for those under way. */
  grace: number;
  waits: Backoff;
  /** Whether what expired before its first try is tried once all the same. */
  triesLate: boolean;
}

/** Delivers what is in an outbox. Every instance has one; no row is with two of them at a time. */
export abstract class OutboxWorker<T extends OutboxRow>
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  private readonly stopping = new AbortController();
  private readonly lanes: Lanes<T>;
  private readonly counting: Recurring;
  private readonly cleaning: Recurring;
  private readonly results;
  private unreachable = false;
  private waiting: Awaited<ReturnType<OutboxRows<T>['pending']>> = { count: 0, oldest: undefined };

  protected constructor(
    private readonly outbox: OutboxRows<T>,
    private readonly work: OutboxWork,
    protected readonly logger: Logger,
    metrics: Metrics,
  ) {
    const { noun, metric } = work;
    const take = () => this.outbox.take();
    const handle = (row: T) => this.try(row);
    this.lanes = new Lanes(`Sending (${noun})`, work.lanes, INTERVAL, { take, handle }, logger);
    const recurring = (name: string, interval: number, turn: () => Promise<void>) =>
      new Recurring(`${name} the outbox (${noun})`, interval, turn, logger);
    this.counting = recurring('Counting', INTERVAL, async () => {
      this.waiting = await this.outbox.pending();
    });
    this.cleaning = recurring('Cleaning', DAY, () => this.outbox.clean());
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
    this.cleaning.start(FIRST_CLEANING);
    if (!this.work.sends) return;
    this.lanes.start();
    this.counting.start(0);
  }

  /** Lets the tries under way end, within a few seconds. */
  async beforeApplicationShutdown(): Promise<void> {
    const cut = setTimeout(() => {
      this.stopping.abort();
    }, this.work.grace);
    await Promise.all([this.lanes.stop(), this.counting.stop(), this.cleaning.stop()]);
    clearTimeout(cut);
  }

  /** Looks into the outbox now, for what was just stored. */
  wake(): void {
    this.lanes.wake();
  }

  /**
   * Hands a row over; rejects where the other server has not taken it. Resolves to false where the row
   * needed no delivery, and is gone already.
   */
  protected abstract deliver(row: T, signal: AbortSignal): Promise<boolean>;

  /** What an error of {@link deliver} means. */
  protected abstract failureOf(error: unknown): DeliveryFailure;

  /** What a row is, in a word for the log. */
  protected abstract kindOf(row: T): string;

  /** Sends one, or puts it back; whether it is worth trying another. */
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
