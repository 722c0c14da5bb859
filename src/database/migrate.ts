import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ADVISORY_LOCKS, tryLock } from './advisory-locks.js';
import { refuseEarlierDatabase } from './migration-state.js';
import { immediateTransaction } from './transactions.js';
import { withoutTimeouts } from './database.options.js';

/**
 * The waits for an instance that migrates, in milliseconds: between tries, until a log line, until the end.
 */
const TRY_EVERY = 200;
const TELL_AFTER = 3_000;
const MAX_WAIT = 600_000;

/** How long a statement of a migration waits for a table that another program uses, in milliseconds. */
const LOCK_WAIT = 60_000;

/**
 * Runs the migrations that a database has not seen. Other instances that migrate it wait meanwhile.
 * `dataSource` must be connected and may write.
 *
 * @throws Error with a sentence, if a version before 0.1.0 made the database
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await refuseEarlierDatabase(runner).finally(() => runner.release());
  if (dataSource.options.type === 'postgres') await migrateUnderLock(dataSource);
  else await migrateAlone(dataSource);
}

/** Migrates on connections of their own, because the wait for another instance may be long. */
async function migrateUnderLock({ options }: DataSource): Promise<void> {
  const dataSource = await new DataSource(withoutTimeouts(options, LOCK_WAIT)).initialize();
  try {
    const holder = dataSource.createQueryRunner();
    // A transaction's lock ends with it, even if a pooler keeps the session.
    await holder.startTransaction();
    await waitForLock(holder.manager);
    await dataSource.runMigrations();
    await holder.commitTransaction();
  } finally {
    await dataSource.destroy();
  }
}

/**
 * Waits for the lock of the migrations.
 *
 * @throws Error with a sentence, if another program keeps the lock for too long
 */
async function waitForLock(holder: EntityManager): Promise<void> {
  const logger = new Logger('Migrations');
  const began = performance.now();
  for (let told = false; ;) {
    if (await tryLock(holder, 'migrations')) return;
    const waited = performance.now() - began;
    if (waited > MAX_WAIT) {
      const minutes = MAX_WAIT / 60_000;
      throw new Error(
        `Another program has held the lock of the migrations for ${minutes} minutes: advisory lock ${ADVISORY_LOCKS.migrations} in pg_locks`,
      );
    }
    if (!told && waited > TELL_AFTER) {
      told = true;
      logger.warn('Waiting for another instance, which migrates the database');
    }
    await setTimeout(TRY_EVERY);
  }
}

/** Migrates SQLite in one transaction, for which other processes wait. */
async function migrateAlone(writer: DataSource): Promise<void> {
  // A migration that rebuilds a table must not delete the rows that refer to it. This setting cannot change
  // inside a transaction.
  await writer.query('PRAGMA foreign_keys = OFF');
  await immediateTransaction(writer, () => writer.runMigrations({ transaction: 'none' }));
  await writer.query('PRAGMA foreign_keys = ON');
}
