import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import type { ApiErrorCode } from '../common/api-error.js';
import { toApiError } from '../common/api-error.filter.js';
import { Metrics } from '../common/metrics.js';

/** The results that are told apart; anything else is `error`. */
const RESULTS: readonly ApiErrorCode[] = [
  'bad_credentials',
  'user_disabled',
  'email_not_verified',
  'too_many_requests',
  'unavailable',
];

/** Counts logins by their result. */
@Injectable()
export class LoginMetrics {
  private readonly logins: Counter<'result'>;

  constructor(metrics: Metrics) {
    this.logins = metrics.counter({
      name: 'latchkey_logins_total',
      help: 'Attempts to log in, by result',
      labelNames: ['result'],
    });
    for (const result of ['success', ...RESULTS, 'error']) this.logins.inc({ result }, 0);
  }

  /** Counts an attempt when it is over; settles as it does. */
  async count<T>(attempt: Promise<T>): Promise<T> {
    try {
      const tokens = await attempt;
      this.logins.inc({ result: 'success' });
      return tokens;
    } catch (error) {
      const { code } = toApiError(error);
      this.logins.inc({ result: RESULTS.includes(code) ? code : 'error' });
      throw error;
    }
  }
}
