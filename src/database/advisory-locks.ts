import type { EntityManager } from 'typeorm';

/**
 * All advisory locks that Latchkey takes on PostgreSQL, by name. PostgreSQL knows only their numbers, so two
 * locks of one number would wait for each other. Never change or reuse a number: during a rollout, instances
 * of two versions share a database.
 */
export const ADVISORY_LOCKS = {
  /** Held while an instance runs the migrations. */
  migrations: 7_235_081,
  /** Held by a transaction that seals, prunes or empties rows of the audit. */
  audit: 7_235_082,
  /** Held by a transaction that may leave one administrator less. */
  lastAdministrator: 7_235_083,
  /** Held by a transaction that changes the permissions of a role. */
  roleChanges: 7_235_084,
  /** Held by a transaction that stores users under ids of a file. */
  imports: 7_235_086,
  /** Held by a transaction that answers a registration by an address alone. */
  registrations: 7_235_087,
} as const;

/** The name of an advisory lock. */
export type AdvisoryLock = keyof typeof ADVISORY_LOCKS;

/**
 * Tells whether a lock is needed. On SQLite one transaction writes at a time, so it needs no further lock.
 */
const needsLock = (manager: EntityManager): boolean =>
  manager.connection.options.type === 'postgres';

/** Waits for a lock, and holds it until the transaction of `manager` ends. */
export async function lock(manager: EntityManager, name: AdvisoryLock): Promise<void> {
  if (!needsLock(manager)) return;
  await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS[name]]);
}

/** Like {@link lock}, but does not wait: returns false if another transaction holds the lock. */
export async function tryLock(manager: EntityManager, name: AdvisoryLock): Promise<boolean> {
  if (!needsLock(manager)) return true;
  const [row] = await manager.query<{ got: boolean }[]>(
    'SELECT pg_try_advisory_xact_lock($1) AS got',
    [ADVISORY_LOCKS[name]],
  );
  return row?.got === true;
}
