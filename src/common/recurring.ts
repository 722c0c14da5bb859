import type { Logger } from '@nestjs/common';
import { FailureLog } from './failure-log.js';

/**
 * Work that is done over and over: never twice at a time, `interval` milliseconds after the last turn
 * ended, and at once when somebody calls {@link Recurring.now}. Failures go to a {@link FailureLog}. Never
 * keeps the process alive.
 */
export class Recurring {
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

  /** Begins; the first turn comes after `delay` milliseconds, by default one interval. */
  start(delay = this.interval): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), delay).unref();
  }

  /** Takes a turn at once, or after the one under way; resolves when it is over. Never rejects. */
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

  /** Ends it; resolves when the turn under way is over. */
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
