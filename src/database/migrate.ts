import { DataSource } from 'typeorm';
import { lockConnection } from './advisory-locks.js';
import { immediately } from './transactions.js';
import { withoutTimeouts } from './database.options.js';

/**
 * Runs the migrations that a database has not seen; who else does so meanwhile waits. `dataSource` must
 * be connected and may write.
 */
export function migrate(dataSource: DataSource): Promise<void> {
  return dataSource.options.type === 'postgres'
    ? migrateUnderLock(dataSource)
    : migrateAlone(dataSource);
}

/** On connections of their own, since the wait for another instance may be long. */
async function migrateUnderLock({ options }: DataSource): Promise<void> {
  const dataSource = await new DataSource(withoutTimeouts(options)).initialize();
  try {
    const holder = dataSource.createQueryRunner();
    await lockConnection(holder, 'migrations');
    await dataSource.runMigrations();
  } finally {
    // Which lets go of the lock.
    await dataSource.destroy();
  }
}

/** SQLite's counterpart: one transaction that other processes wait for, and nothing half done. */
async function migrateAlone(writer: DataSource): Promise<void> {
  // Tables that are made anew must not take along what refers to them; within a transaction this
  // setting cannot be changed.
  await writer.query('PRAGMA foreign_keys = OFF');
  await immediately(writer, () => writer.runMigrations({ transaction: 'none' }));
  await writer.query('PRAGMA foreign_keys = ON');
}
