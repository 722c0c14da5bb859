import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource, type EntityManager, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import { clock } from '../common/clock.js';
import { reasonUnavailable } from '../common/unavailable.js';
import { refuseUnfinishedCopy } from './copy-marker.js';
import { migrate } from './migrate.js';
import { isInside, refuseLateStatements, runInside } from './open-transaction.js';
import { type PostgresClientOptions, READ_ONLY } from './postgres-client.js';
import { PostgresListener } from './postgres-listener.js';
import { refuseOtherSchema, refuseSharedSessions } from './session-checks.js';
import { WriteQueue } from './write-queue.js';
import { refuseWrites } from './write-refusal.js';

/** The number of rows that one statement deletes. */
const DELETE_BATCH = 500;

/** How often a write is repeated after a deadlock or a conflict. */
const RETRIES = 3;

/**
 * Asks for the time, in milliseconds since 1970. The lock holds no row, but a read-only server refuses it
 * like a write.
 */
const PING_POSTGRES = `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
  EXISTS (SELECT 1 FROM migrations WHERE false FOR UPDATE) AS locked`;
const PING_SQLITE = `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now`;

/**
 * The only way to change stored data. On SQLite all writes run one after another on a connection of their
 * own (see {@link WriteQueue}). Statements that share a connection share its transaction, so one request's
 * rollback would undo another's acknowledged write. Injected repositories read on a second connection, which
 * sees only committed rows and refuses writes. On PostgreSQL these are plain calls.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  /** The writes to SQLite; undefined on PostgreSQL. */
  private readonly queue: WriteQueue | undefined;
  /** What runs after the commit of each transaction under way. */
  private readonly afterCommits = new WeakMap<EntityManager, (() => void)[]>();

  private constructor(
    private readonly reader: DataSource,
    private readonly writer: DataSource,
    private readonly waitTimeout: number,
  ) {
    if (writer === reader) return;
    this.queue = new WriteQueue(writer, waitTimeout);
    refuseLateStatements(writer, this);
  }

  /**
   * Takes the connected `reader`, opens the writer and runs the migrations. A write waits up to `waitTimeout`
   * seconds for its turn.
   */
  static async open(reader: DataSource, waitTimeout: number): Promise<Database> {
    await refuseUnfinishedCopy(reader);
    if (reader.options.type === 'postgres') {
      await refuseSharedSessions(reader.options.extra as PostgresClientOptions);
      await refuseOtherSchema(reader);
      await migrate(reader).catch(explainReadOnly);
      const database = new Database(reader, reader, waitTimeout);
      await database.ping().catch(explainReadOnly);
      return database;
    }
    const writer = await new DataSource(reader.options).initialize();
    await writer.query('PRAGMA synchronous = FULL');
    // Overwrites deleted data: a deleted user's name must not stay in the file.
    await writer.query('PRAGMA secure_delete = ON');
    await migrate(writer);
    await reader.query('PRAGMA query_only = ON');
    refuseWrites(reader);
    return new Database(reader, writer, waitTimeout);
  }

  /**
   * Runs one writing statement. It is durable when the promise resolves. If the driver reports that the
   * database is down, the statement may or may not have been stored.
   *
   * @throws QueryFailedError as TypeORM does; see `violatedUniqueIndex`
   * @throws ApiError unavailable, if the turn did not come in time and the statement did not run
   */
  write<T>(statement: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.refuseNested();
    if (this.queue) return this.inTurn(this.queue, statement, true);
    return again(() => statement(this.writer.manager));
  }

  /**
   * Runs several statements as one transaction. Keep it short: on SQLite all other writes wait. If PostgreSQL
   * rolls it back because of a deadlock or a conflict, `work` runs again, so both transactions succeed. It also
   * runs again if SQLite rolls back a transaction that several writes share.
   *
   * @throws Error inside another transaction, because `work` would wait for itself. Use its `manager` there.
   */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.refuseNested();
    if (this.queue) return this.inTurn(this.queue, work, false);
    return again(() => this.once(work));
  }

  /**
   * Calls `step` after the transaction of `manager` has committed, and never if it rolls back. Calls it at
   * once if `manager` is in no transaction.
   */
  afterCommit(manager: EntityManager, step: () => void): void {
    const steps = this.afterCommits.get(manager);
    if (steps) steps.push(step);
    else step();
  }

  /**
   * Deletes the rows that meet `condition` (SQL with named parameters), a few at a time, so that other
   * statements do not wait for long. Resolves to their number.
   */
  async deleteAll(
    entity: EntityTarget<ObjectLiteral>,
    condition: string,
    parameters: ObjectLiteral,
  ): Promise<number> {
    const { tableName, primaryColumns } = this.writer.getMetadata(entity);
    const id = primaryColumns.map(({ databaseName }) => databaseName).join(', ');
    // The order of ids lets instances that clean up together wait for each other instead of deadlocking.
    const some = `SELECT ${id} FROM ${tableName} WHERE ${condition} ORDER BY ${id} LIMIT ${DELETE_BATCH}`;
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
      if ((affected ?? 0) < DELETE_BATCH) return removed;
    }
  }

  /** Whether the database is PostgreSQL. Otherwise it is SQLite. */
  get isPostgres(): boolean {
    return this.writer === this.reader;
  }

  /**
   * Notifies every instance that listens to `channel`, after the transaction of `manager` has committed.
   * SQLite has no notifications, so instances rely on their polls.
   */
  async notify(manager: EntityManager, channel: string): Promise<void> {
    if (this.isPostgres) await manager.query(`SELECT pg_notify($1, '')`, [channel]);
  }

  /** Returns a listener for {@link Database.notify} of every instance; undefined on SQLite. */
  listener(channel: string): PostgresListener | undefined {
    const { options } = this.reader;
    if (options.type !== 'postgres') return undefined;
    return new PostgresListener(options.extra as PostgresClientOptions, channel);
  }

  /**
   * Resolves when the database answers and takes writes, and sets this process's clock by it.
   *
   * @throws QueryFailedError. A connection to a server that became read-only is closed.
   */
  async ping(): Promise<void> {
    const asked = clock.now();
    const [row] = await this.reader.query<{ now: string | number }[]>(
      this.isPostgres ? PING_POSTGRES : PING_SQLITE,
    );
    clock.set(asked, Number(row?.now));
  }

  /** Calls `observer` after every statement. It must not throw. */
  observe(observer: (event: AfterQueryEvent<unknown>) => void): void {
    for (const dataSource of new Set([this.reader, this.writer])) {
      dataSource.subscribers.push({ afterQuery: observer });
    }
  }

  /** Waits for the running writes and closes the writer. Nest closes the reader. */
  async onApplicationShutdown(): Promise<void> {
    await this.queue?.idle();
    if (!this.isPostgres) await this.writer.destroy();
  }

  /** The number of connections, and of callers that wait for one or for their turn to write. */
  get use(): { connections: number; idle: number; waiting: number } {
    if (this.queue) return { connections: 2, idle: 0, waiting: this.queue.length };
    const { totalCount, idleCount, waitingCount } = (this.reader.driver as PostgresDriver)
      .master as Pool;
    return { connections: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** Runs a transaction of PostgreSQL. */
  private async once<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const steps: (() => void)[] = [];
    const result = await this.writer.transaction((manager) => this.noting(manager, work, steps));
    for (const step of steps) step();
    return result;
  }

  /** Runs a write to SQLite in its turn. */
  private async inTurn<T>(
    queue: WriteQueue,
    work: (manager: EntityManager) => Promise<T>,
    isOneStatement: boolean,
  ): Promise<T> {
    const steps: (() => void)[] = [];
    const noting = () => this.noting(this.writer.manager, work, steps);
    const result = await queue.run(noting, isOneStatement);
    for (const step of steps) step();
    return result;
  }

  /** Runs `work` inside a transaction, and notes in `steps` what runs after its commit. */
  private async noting<T>(
    manager: EntityManager,
    work: (manager: EntityManager) => Promise<T>,
    steps: (() => void)[],
  ): Promise<T> {
    // The work may run a second time.
    steps.length = 0;
    this.afterCommits.set(manager, steps);
    try {
      // PostgreSQL ends an idle transaction by itself.
      const idleLimit = this.queue && this.waitTimeout * 1000;
      return await runInside(this, () => work(manager), idleLimit);
    } finally {
      // On SQLite the next transaction has the same manager.
      this.afterCommits.delete(manager);
    }
  }

  private refuseNested(): void {
    if (!isInside(this)) return;
    throw new Error(
      'A write inside a transaction waits for itself: use the manager that the transaction gives',
    );
  }
}

/** The codes of a transaction that PostgreSQL rolled back because of others: a deadlock, or a conflict. */
const UNDONE = ['40P01', '40001'];

/** Runs `work`, and repeats it if PostgreSQL rolled it back. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let left = RETRIES; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !UNDONE.includes(reasonUnavailable(error) ?? '')) throw error;
    }
  }
}

/**
 * Replaces an error about a read-only database by one with a sentence.
 *
 * @throws Error
 */
function explainReadOnly(error: unknown): never {
  if (reasonUnavailable(error) !== READ_ONLY) throw error;
  const message =
    'The database is read-only: it is a standby, or default_transaction_read_only is on';
  throw new Error(message, { cause: error });
}

/**
 * Returns the unique index that made a write fail, by its name on PostgreSQL and by `table.column` on SQLite.
 * Undefined for another error.
 */
export function violatedUniqueIndex(error: unknown): string | undefined {
  const cause = (error as { driverError?: unknown } | undefined)?.driverError;
  const { code, constraint, message } = (cause ?? {}) as Record<string, unknown>;
  if (code === '23505') return String(constraint);
  return /UNIQUE constraint failed: (.+)/.exec(String(message))?.[1];
}

/** Tells whether a write failed because a row that it refers to was deleted. */
export function violatesForeignKey(error: unknown): boolean {
  const cause = (error as { driverError?: unknown } | undefined)?.driverError;
  const { code, message } = (cause ?? {}) as Record<string, unknown>;
  return code === '23503' || /FOREIGN KEY constraint failed/.test(String(message));
}
