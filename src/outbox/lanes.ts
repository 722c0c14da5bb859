import type { Logger } from '@nestjs/common';
import { FailureLog } from '../common/failure-log.js';

/** Where {@link Lanes} take their work from, and what they do with it. */
export interface LaneWork<T> {
  /** The next piece of work; undefined where there is none. */
  take: () => Promise<T | undefined>;
  /** Does it; false where another one should wait for the next look into the queue. */
  handle: (piece: T) => Promise<boolean>;
}

/**
 * Works through a queue in up to `count` lanes: in each one piece after another, until none is left. A
 * piece that hangs holds up its own lane alone. The queue is looked into every `interval` milliseconds
 * and whenever somebody calls {@link Lanes.wake}. Failures go to a {@link FailureLog}. Never keeps the
 * process alive.
 */
export class Lanes<T> {
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private wakes = 0;
  private held = false;
  private readonly failures: FailureLog;

  constructor(
    name: string,
    private readonly count: number,
    private readonly interval: number,
    private readonly work: LaneWork<T>,
    logger: Logger,
  ) {
    this.failures = new FailureLog(name, logger);
  }

  /** Begins, with a look at once. */
  start(): void {
    if (this.stopped) return;
    this.timer = setInterval(() => {
      this.wake();
    }, this.interval).unref();
    this.wake();
  }

  /** Looks into the queue now; does nothing before the start. */
  wake(): void {
    this.wakes++;
    this.held = false;
    if (this.timer) this.open();
  }

  /** Ends it; resolves when what is under way is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private open(): void {
    if (this.stopped || this.running.size >= this.count) return;
    const lane = this.run().finally(() => this.running.delete(lane));
    this.running.add(lane);
  }

  private async run(): Promise<void> {
    try {
      let wakes: number;
      do {
        wakes = this.wakes;
        if (!(await this.runOn())) return;
        // Who was woken meanwhile may have asked too early.
      } while (wakes !== this.wakes);
    } catch (error) {
      this.failures.failed(error);
    }
  }

  /** Takes and does one piece after another; whether it stopped because none was left. */
  private async runOn(): Promise<boolean> {
    while (!this.stopped) {
      const piece = await this.work.take();
      // Where there is one, there may be more.
      if (piece !== undefined && !this.held) this.open();
      const goOn = piece === undefined || (await this.work.handle(piece));
      this.failures.succeeded();
      this.held = !goOn;
      if (piece === undefined || !goOn) return goOn;
    }
    return false;
  }
}
