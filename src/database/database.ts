import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager, type EntityTarget, type ObjectLiteral } from 'typeorm';
import { PostgresListener } from './postgres-listener.js';

/** PostgreSQL's advisory lock of the migrations: an arbitrary number, the same in every instance. */
const MIGRATION_LOCK = 7_235_081;

/** Rows removed by one statement. */
const BATCH = 500;

/**
 * The way to change what is stored. On SQLite all writes go one after another through a connection
 * of their own, because statements that share a connection share its transaction: one request's
 * rollback would undo another's acknowledged write. The injected repositories read on a second
 * connection, which sees only what is committed and refuses to write. On PostgreSQL these are plain
 * calls.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  private last: Promise<unknown> = Promise.resolve();
  private readonly afterwards = new WeakMap<EntityManager, (() => void)[]>();

  private constructor(
    private readonly reader: DataSource,
    private readonly writer: DataSource,
  ) {}

  /** Takes the connected `reader`, opens the writer and runs the migrations. */
  static async open(reader: DataSource): Promise<Database> {
    if (reader.options.type === 'postgres') {
      await migrateUnderLock(reader);
      return new Database(reader, reader);
    }
    const writer = await new DataSource(reader.options).initialize();
    await writer.query('PRAGMA synchronous = FULL');
    await migrateAlone(writer);
    await reader.query('PRAGMA query_only = ON');
    return new Database(reader, writer);
  }

  /**
   * Runs one writing statement; it is durable when the promise resolves.
   *
   * @throws QueryFailedError as TypeORM does; see `violatedUniqueIndex`
   */
  write<T>(statement: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.inTurn(() => statement(this.writer.manager));
  }

  /** Runs several statements as one; keep it short, nothing else is written meanwhile on SQLite. */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const steps: (() => void)[] = [];
    const noting = async (manager: EntityManager): Promise<T> => {
      this.afterwards.set(manager, steps);
      try {
        return await work(manager);
      } finally {
        // On SQLite it is the same one for the next transaction.
        this.afterwards.delete(manager);
      }
    };
    return this.inTurn(async () => {
      const result = await (this.isPostgres
        ? this.writer.transaction(noting)
        : immediately(this.writer, noting));
      for (const step of steps) step();
      return result;
    });
  }

  /**
   * Calls `step` when the transaction of `manager` is committed, never if it is rolled back; at once
   * where `manager` is in none.
   */
  afterCommit(manager: EntityManager, step: () => void): void {
    const steps = this.afterwards.get(manager);
    if (steps) steps.push(step);
    else step();
  }

  /**
   * Removes the rows that meet `condition` (in SQL, with named parameters), a few at a time, so that
   * nothing waits long for it; resolves to how many there were.
   */
  async removeAll(
    entity: EntityTarget<ObjectLiteral>,
    condition: string,
    parameters: ObjectLiteral,
  ): Promise<number> {
    const { tableName, primaryColumns } = this.writer.getMetadata(entity);
    const id = primaryColumns.map(({ databaseName }) => databaseName).join(', ');
    // In the order of ids, so that instances that clean up together wait for, not block, each other.
    const some = `SELECT ${id} FROM ${tableName} WHERE ${condition} ORDER BY ${id} LIMIT ${BATCH}`;
    for (let removed = 0; ;) {
      const { affected } = await this.write((manager) =>
        manager
          .createQueryBuilder()
          .delete()
          .from(entity)
          .where(`${id} IN (${some})`, parameters)
          .execute(),
      );
      removed += affected ?? 0;
      if ((affected ?? 0) < BATCH) return removed;
    }
  }

  /** Whether this is PostgreSQL; SQLite otherwise. */
  get isPostgres(): boolean {
    return this.writer === this.reader;
  }

  /**
   * Tells every instance that listens to `channel`, once the transaction of `manager` is committed.
   * On SQLite nobody can be told; there the poll has to do.
   */
  async notify(manager: EntityManager, channel: string): Promise<void> {
    if (this.isPostgres) await manager.query(`SELECT pg_notify($1, '')`, [channel]);
  }

  /** What hears {@link Database.notify} of every instance; undefined on SQLite. */
  listener(channel: string): PostgresListener | undefined {
    const { options } = this.reader;
    if (options.type !== 'postgres') return undefined;
    return new PostgresListener({ connectionString: options.url }, channel);
  }

  /** Resolves when the database answers. */
  async ping(): Promise<void> {
    await this.reader.query('SELECT 1');
  }

  /** Waits for the writes under way and closes the writer; Nest closes the reader. */
  async onApplicationShutdown(): Promise<void> {
    await this.last;
    if (!this.isPostgres) await this.writer.destroy();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.isPostgres) return work();
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }
}

async function migrateUnderLock(dataSource: DataSource): Promise<void> {
  const holder = dataSource.createQueryRunner();
  try {
    // Another instance may migrate for longer than a statement may take.
    await holder.query('SET statement_timeout = 0');
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations();
  } finally {
    await holder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await holder.query('RESET statement_timeout').catch(() => undefined);
    await holder.release();
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

/**
 * A transaction of SQLite that may write from its first statement on. One that begins by reading
 * fails at its first write if another process wrote in between, however long it would wait.
 */
async function immediately<T>(
  writer: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  await writer.query('BEGIN IMMEDIATE');
  try {
    const result = await work(writer.manager);
    await writer.query('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors (a full disk); then this is one more.
    await writer.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * The unique index that made a write fail, by name on PostgreSQL and by `table.column` on SQLite;
 * undefined where the error is another one.
 */
export function violatedUniqueIndex(error: unknown): string | undefined {
  const cause = (error as { driverError?: unknown } | undefined)?.driverError;
  const { code, constraint, message } = (cause ?? {}) as Record<string, unknown>;
  if (code === '23505') return String(constraint);
  return /UNIQUE constraint failed: (.+)/.exec(String(message))?.[1];
}
