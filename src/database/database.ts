import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource, type EntityManager, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { reasonUnavailable } from '../common/unavailable.js';
import { refuseUnfinishedCopy } from './copy-marker.js';
import { migrate } from './migrate.js';
import { type PostgresClientOptions, READ_ONLY } from './postgres-client.js';
import { PostgresListener } from './postgres-listener.js';
import { refuseOtherSchema, refuseSharedSessions } from './session-checks.js';
import { immediately } from './transactions.js';
import { refuseWrites } from './write-refusal.js';

/** Rows removed by one statement. */
const BATCH = 500;

/** How often a write is begun anew after a deadlock or a conflict. */
const RETRIES = 3;

/** Asks for the time, in milliseconds since 1970; the lock is on no row, but is refused like a write. */
const PING_POSTGRES = `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
  EXISTS (SELECT 1 FROM migrations WHERE false FOR UPDATE) AS locked`;
const PING_SQLITE = `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now`;

/** What else belongs to a transaction. */
interface TransactionSteps {
  before: { key: string; step: () => Promise<void> }[];
  after: (() => void)[];
}

const byKey = (a: { key: string }, b: { key: string }): number =>
  a.key === b.key ? 0 : a.key < b.key ? -1 : 1;

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
  private waiting = 0;
  private readonly around = new WeakMap<EntityManager, TransactionSteps>();
  /** The transaction that the present code runs in, and whether it is still under way. */
  private readonly current = new AsyncLocalStorage<{ open: boolean }>();

  private constructor(
    private readonly reader: DataSource,
    private readonly writer: DataSource,
    private readonly waitTimeout: number,
  ) {}

  /**
   * Takes the connected `reader`, opens the writer and runs the migrations. A write waits for its turn
   * for `waitTimeout` seconds.
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
    // What is deleted is overwritten: a deleted user's name must not stay in the file.
    await writer.query('PRAGMA secure_delete = ON');
    await migrate(writer);
    await reader.query('PRAGMA query_only = ON');
    refuseWrites(reader);
    return new Database(reader, writer, waitTimeout);
  }

  /**
   * Runs one writing statement; it is durable when the promise resolves. A driver's error that means
   * the database is away leaves it in doubt whether it was written.
   *
   * @throws QueryFailedError as TypeORM does; see `violatedUniqueIndex`
   * @throws ApiError unavailable, where the turn did not come in time; nothing was written
   */
  write<T>(statement: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.refuseNested();
    return this.inTurn(() => again(() => statement(this.writer.manager)));
  }

  /**
   * Runs several statements as one. Keep it short: on SQLite all other writes wait. If PostgreSQL undoes it
   * because of a deadlock or a conflict with another transaction, `work` is done again, so both are served.
   *
   * @throws Error in a transaction, which is given as `manager`: `work` would wait for itself
   */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.refuseNested();
    return this.inTurn(() => again(() => this.once(work)));
  }

  /**
   * Calls `step`, which may write, as the last thing of the transaction of `manager`; at once where
   * `manager` is in none. Steps go in the order of their keys, and locks that they take come after all
   * others, so that transactions cannot wait for each other in a circle.
   */
  async beforeCommit(
    manager: EntityManager,
    key: string,
    step: () => Promise<void>,
  ): Promise<void> {
    const steps = this.around.get(manager);
    if (steps) steps.before.push({ key, step });
    else await step();
  }

  /**
   * Calls `step` when the transaction of `manager` is committed, never if it is rolled back; at once
   * where `manager` is in none.
   */
  afterCommit(manager: EntityManager, step: () => void): void {
    const steps = this.around.get(manager);
    if (steps) steps.after.push(step);
    else step();
  }

  /**
   * Removes the rows that meet `condition` (in SQL, with named parameters), a few at a time, so that
   * nothing waits long for it; resolves to how many there were.
   */
  async deleteAll(
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
    return new PostgresListener(options.extra as PostgresClientOptions, channel);
  }

  /**
   * Resolves when the database answers and takes writes, and sets this process's clock by it.
   *
   * @throws QueryFailedError; a connection to a server that became read-only is closed
   */
  async ping(): Promise<void> {
    const asked = clock.now();
    const [row] = await this.reader.query<{ now: string | number }[]>(
      this.isPostgres ? PING_POSTGRES : PING_SQLITE,
    );
    clock.set(asked, Number(row?.now));
  }

  /** Calls `observer` after every statement; it must not throw. */
  observe(observer: (event: AfterQueryEvent<unknown>) => void): void {
    for (const dataSource of new Set([this.reader, this.writer])) {
      dataSource.subscribers.push({ afterQuery: observer });
    }
  }

  /** Waits for the writes under way and closes the writer; Nest closes the reader. */
  async onApplicationShutdown(): Promise<void> {
    await this.last;
    if (!this.isPostgres) await this.writer.destroy();
  }

  /** Connections to PostgreSQL, or to the SQLite file, and who waits for one or for a turn. */
  get use(): { connections: number; idle: number; waiting: number } {
    if (!this.isPostgres) return { connections: 2, idle: 0, waiting: this.waiting };
    const { totalCount, idleCount, waitingCount } = (this.reader.driver as PostgresDriver)
      .master as Pool;
    return { connections: totalCount, idle: idleCount, waiting: waitingCount };
  }

  private async once<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const steps: TransactionSteps = { before: [], after: [] };
    const noting = async (manager: EntityManager): Promise<T> => {
      this.around.set(manager, steps);
      try {
        const result = await work(manager);
        for (const { step } of steps.before.sort(byKey)) await step();
        return result;
      } finally {
        // On SQLite it is the same one for the next transaction.
        this.around.delete(manager);
      }
    };
    const state = { open: true };
    const result = await this.current.run(state, async () => {
      try {
        return await (this.isPostgres
          ? this.writer.transaction(noting)
          : immediately(this.writer, noting));
      } finally {
        state.open = false;
      }
    });
    for (const step of steps.after) step();
    return result;
  }

  private refuseNested(): void {
    if (!this.current.getStore()?.open) return;
    throw new Error(
      'A write inside a transaction waits for itself: use the manager that the transaction gives',
    );
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.isPostgres) return work();
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.waiting--;
        reject(new ApiError('unavailable', { cause: new Error('too many writes before it') }));
      }, this.waitTimeout * 1000);
      this.waiting++;
      this.last = this.last.then(async () => {
        if (late) return;
        clearTimeout(timer);
        this.waiting--;
        // Wrapped, so that what `work` throws at once does not end the queue.
        await (async () => work())().then(resolve, reject);
      });
    });
  }
}

/** PostgreSQL undid a transaction because of others: a deadlock, or a conflict. */
const UNDONE = ['40P01', '40001'];

/** Does `work`, and does it again if PostgreSQL undid it. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let left = RETRIES; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !UNDONE.includes(reasonUnavailable(error) ?? '')) throw error;
    }
  }
}

/** @throws Error with a sentence, if `error` says that the database is read-only; else `error` */
function explainReadOnly(error: unknown): never {
  if (reasonUnavailable(error) !== READ_ONLY) throw error;
  const message =
    'The database is read-only: it is a standby, or default_transaction_read_only is on';
  throw new Error(message, { cause: error });
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
