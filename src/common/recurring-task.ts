import type { Logger } from '@nestjs/common';
import { FailureLog } from './failure-log.js';

/**
 * Recurring work. A turn begins `interval` milliseconds after the end of the one before, or at once by {@link
 * RecurringTask.now}; two turns never run at the same time. Failures go to a {@link FailureLog}. The timer never
 * keeps the process alive.
 */
export class RecurringTask {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private stopped = false;
  private readonly failures: FailureLog;

  constructor(
    name: string,
    private readonly interval: number,
    private readonly work: () => Promise<void>,
    logger: Logger,
  ) {
    this.failures = new FailureLog(name, logger);
  }

  /** Starts. The first turn comes after `delay` milliseconds, by default one interval. */
  start(delay = this.interval): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), delay).unref();
  }

  /** Runs a turn at once, or after the running one. Resolves when it has ended, and never rejects. */
  now(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    if (this.running) {
      this.next ??= this.running.then(() => {
        this.next = undefined;
        return this.now();
      });
      return this.next;
    }
    clearTimeout(this.timer);
    this.running = this.turn().finally(() => {
      this.running = undefined;
      this.start();
    });
    return this.running;
  }

  /** Stops. Resolves when the running turn has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async turn(): Promise<void> {
    try {
      await this.work();
      this.failures.succeeded();
    } catch (error) {
      this.failures.failed(error);
    }
  }
}
