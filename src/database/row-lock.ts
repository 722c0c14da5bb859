import type { EntityManager, FindOneOptions } from 'typeorm';

const MODES = { update: 'pessimistic_write', share: 'pessimistic_read' } as const;

/**
 * The option of `find` that locks the rows found until the transaction of `manager` ends: for an
 * `update` of one's own, or to `share` them with others who only keep them from being changed. Empty on
 * SQLite, where a writing transaction has the database to itself.
 */
export const rowLock = (
  manager: EntityManager,
  mode: keyof typeof MODES,
): Pick<FindOneOptions, 'lock'> =>
  manager.connection.options.type === 'postgres' ? { lock: { mode: MODES[mode] } } : {};
