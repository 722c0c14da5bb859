import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Counter } from 'prom-client';
import type { ApiErrorCode } from './api-error.js';
import { Metrics } from './metrics.js';
import { RecurringTask } from './recurring-task.js';

/** The time between two summaries in the log, in milliseconds. */
const INTERVAL = 60_000;

/**
 * Counts requests that were refused for a missing or bad access token. A stranger can send them by the
 * thousand, so the log has one line a minute with their number by code.
 */
@Injectable()
export class RefusedTokens implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RefusedTokens.name);
  private readonly total: Counter<'code'>;
  private readonly unlogged = new Map<ApiErrorCode, number>();
  private readonly summary = new RecurringTask(
    'Summing up refused tokens',
    INTERVAL,
    () => {
      this.sumUp();
      return Promise.resolve();
    },
    this.logger,
  );

  constructor(metrics: Metrics) {
    this.total = metrics.counter({
      name: 'latchkey_refused_tokens_total',
      help: 'Requests refused for their access token, by the code of the error',
      labelNames: ['code'],
    });
  }

  onModuleInit(): void {
    this.summary.start();
  }

  /** Counts one refusal. */
  count(code: ApiErrorCode): void {
    this.total.inc({ code });
    this.unlogged.set(code, (this.unlogged.get(code) ?? 0) + 1);
  }

  /** Logs the last summary. */
  async onApplicationShutdown(): Promise<void> {
    await this.summary.stop();
    this.sumUp();
  }

  /** Writes the line, if there were refusals. */
  private sumUp(): void {
    if (this.unlogged.size === 0) return;
    const counts = [...this.unlogged].map(([code, count]) => `${code} ${count}`);
    this.unlogged.clear();
    this.logger.log(`Requests refused for their token: ${counts.join(', ')}`);
  }
}
