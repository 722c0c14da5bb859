import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import type { EntityManager } from 'typeorm';
import type { ApiErrorCode } from '../common/api-error.js';
import { toApiError } from '../common/api-error.filter.js';
import { Metrics } from '../common/metrics.js';
import { Database } from '../database/database.js';

/** The results that have a label of their own. All others are `error`. */
const RESULTS: readonly ApiErrorCode[] = [
  'bad_credentials',
  'user_disabled',
  'email_not_verified',
  'second_factor_required',
  'code_invalid',
  'link_invalid',
  'passkey_invalid',
  'passkey_unknown',
  'too_many_requests',
  'unavailable',
];

/** Counts logins by their result. */
@Injectable()
export class LoginMetrics {
  private readonly logins: Counter<'result'>;

  constructor(
    metrics: Metrics,
    private readonly database: Database,
  ) {
    this.logins = metrics.counter({
      name: 'latchkey_logins_total',
      help: 'Attempts to log in, by result',
      labelNames: ['result'],
    });
    for (const result of ['success', ...RESULTS, 'error']) this.logins.inc({ result }, 0);
  }

  /** Counts a login that succeeded: now, or when the transaction of `manager` is committed. */
  countSuccess(manager?: EntityManager): void {
    const count = () => {
      this.logins.inc({ result: 'success' });
    };
    if (manager) this.database.afterCommit(manager, count);
    else count();
  }

  /** Counts an attempt if it fails, and resolves or rejects with it. */
  async countFailure<T>(attempt: Promise<T>): Promise<T> {
    try {
      return await attempt;
    } catch (error) {
      const { code } = toApiError(error);
      this.logins.inc({ result: RESULTS.includes(code) ? code : 'error' });
      throw error;
    }
  }
}
