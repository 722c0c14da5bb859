import type { Logger } from '@nestjs/common';
import { FailureLog } from '../common/failure-log.js';

/** The queue of a {@link QueueRunner}, and the work on its jobs. */
export interface QueueWork<T> {
  /** Returns the next job; undefined if the queue is empty. */
  take: () => Promise<T | undefined>;
  /** Does a job. Resolves to false if the next job should wait for the next look into the queue. */
  handle: (piece: T) => Promise<boolean>;
}

/**
 * Works through a queue with up to `concurrency` jobs at a time, until it is empty. A job that hangs takes
 * one place only. The runner asks the queue every `interval` milliseconds, and at each {@link
 * QueueRunner.wake}. Failures go to a {@link FailureLog}. The runner never keeps the process alive.
 */
export class QueueRunner<T> {
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private wakes = 0;
  private held = false;
  private readonly failures: FailureLog;

  constructor(
    name: string,
    private readonly concurrency: number,
    private readonly interval: number,
    private readonly work: QueueWork<T>,
    logger: Logger,
  ) {
    this.failures = new FailureLog(name, logger);
  }

  /** Starts, and asks the queue at once. */
  start(): void {
    if (this.stopped) return;
    this.timer = setInterval(() => {
      this.wake();
    }, this.interval).unref();
    this.wake();
  }

  /** Asks the queue now. Does nothing before the start. */
  wake(): void {
    this.wakes++;
    this.held = false;
    if (this.timer) this.open();
  }

  /** Stops. Resolves when the running jobs have ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private open(): void {
    if (this.stopped || this.running.size >= this.concurrency) return;
    const turn = this.run().finally(() => this.running.delete(turn));
    this.running.add(turn);
  }

  private async run(): Promise<void> {
    try {
      let wakes: number;
      do {
        wakes = this.wakes;
        if (!(await this.runOn())) return;
        // A wake during the last question may have come too early for it.
      } while (wakes !== this.wakes);
    } catch (error) {
      this.failures.failed(error);
    }
  }

  /** Takes and does jobs. Resolves to true if it stopped because the queue was empty. */
  private async runOn(): Promise<boolean> {
    while (!this.stopped) {
      const piece = await this.work.take();
      // One job may be followed by others.
      if (piece !== undefined && !this.held) this.open();
      const goOn = piece === undefined || (await this.work.handle(piece));
      this.failures.succeeded();
      this.held = !goOn;
      if (piece === undefined || !goOn) return goOn;
    }
    return false;
  }
}
