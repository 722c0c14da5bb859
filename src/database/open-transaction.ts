import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, QueryRunner } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { reasonUnavailable } from '../common/unavailable.js';

/** A transaction, or a single write. */
interface Transaction {
  database: object;
  open: boolean;
  /** Its statements that have not ended. */
  running: Set<Promise<unknown>>;
  /** When the last one ended, by `performance.now()`. */
  active: number;
  /** An error of a statement, such as a full disk, after which SQLite may have undone the transaction. */
  broken?: Error;
}

/**
 * The transaction that the present code runs in. One storage for all databases: on Node 20, every promise of the
 * process passes the value of every storage on, also when its database is closed.
 */
const current = new AsyncLocalStorage<Transaction>();

const ROLLBACK = /^\s*ROLLBACK\b/i;

const LATE = 'A statement came after the end of its transaction: wait for each one inside it';

/** Tells whether the present code runs in a transaction of `database` that has not ended. */
export function isInside(database: object): boolean {
  const transaction = current.getStore();
  return transaction?.database === database && transaction.open;
}

/**
 * Runs `work` as a transaction of `database`. It ends with `work` and with the statements that run at that time.
 *
 * @param idleLimit how long `work` may run no statement, in milliseconds; see {@link refuseLateStatements}
 * @throws ApiError unavailable, after the limit
 * @throws QueryFailedError if a statement failed because of a full disk or the like, even if `work` ignored that
 */
export async function runInside<T>(
  database: object,
  work: () => Promise<T>,
  idleLimit?: number,
): Promise<T> {
  const active = performance.now();
  const transaction: Transaction = { database, open: true, running: new Set(), active };
  try {
    const running = current.run(transaction, work);
    const result = await (idleLimit === undefined
      ? running
      : untilIdle(transaction, running, idleLimit));
    // The work may have ignored it.
    if (transaction.broken) throw transaction.broken;
    return result;
  } finally {
    transaction.open = false;
    // For example, one of several in a `Promise.all` has failed.
    if (transaction.running.size > 0) await Promise.allSettled(transaction.running);
  }
}

/** Settles as `running` does, or rejects when the transaction has run no statement for `limit` milliseconds. */
function untilIdle<T>(transaction: Transaction, running: Promise<T>, limit: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const look = (): void => {
      const idle = transaction.running.size > 0 ? 0 : performance.now() - transaction.active;
      if (idle < limit) timer = setTimeout(look, limit - idle);
      else reject(new ApiError('unavailable', { cause: new Error('an idle transaction') }));
    };
    let timer = setTimeout(look, limit);
    running.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

/** Runs `work` in no transaction, even if code that a transaction has left behind calls this. */
export const outsideOfAll = <T>(work: () => T): T => current.exit(work);

/**
 * Makes the only connection of `writer` refuse statements whose transaction of `database` has ended, or may have been
 * undone. They would become part of the next one, which is another caller's, or be stored alone. PostgreSQL refuses
 * them by itself.
 */
export function refuseLateStatements(writer: DataSource, database: object): void {
  const runner = writer.createQueryRunner();
  const query = runner.query.bind(runner) as (...all: unknown[]) => Promise<unknown>;
  runner.query = ((...all: unknown[]) => {
    const transaction = current.getStore();
    if (transaction?.database !== database) return query(...all);
    if (!transaction.open) return Promise.reject(new Error(LATE));
    // Otherwise it would be stored at once, and alone.
    if (transaction.broken && !ROLLBACK.test(String(all[0]))) {
      return Promise.reject(transaction.broken);
    }
    const result = query(...all);
    const ended = () => {
      transaction.running.delete(result);
      transaction.active = performance.now();
    };
    transaction.running.add(result);
    result.then(ended, (error: unknown) => {
      ended();
      if (reasonUnavailable(error) !== undefined) transaction.broken ??= error as Error;
    });
    return result;
  }) as QueryRunner['query'];
}
