import type { EntityManager, FindOneOptions } from 'typeorm';

const MODES = { update: 'pessimistic_write', share: 'pessimistic_read' } as const;

/**
 * Returns the option of `find` that locks the found rows until the transaction of `manager` ends. `update` is
 * for rows that it changes. `share` only keeps others from changing them. Empty on SQLite, where a writing
 * transaction has the database to itself.
 */
export const rowLock = (
  manager: EntityManager,
  mode: keyof typeof MODES,
): Pick<FindOneOptions, 'lock'> =>
  manager.connection.options.type === 'postgres' ? { lock: { mode: MODES[mode] } } : {};
