import type { DataSourceOptions } from 'typeorm';
import { postgresClientClass, postgresClientOptions } from './postgres-client.js';
import type { SessionLimits } from './postgres-session.js';
import { sqliteDriver } from './sqlite-driver.js';
import type { Tables } from './tables.js';

/** How the database is used; times in seconds. */
export interface DatabaseSettings {
  /** Connections to PostgreSQL. */
  poolSize: number;
  /** How long a statement may take, or SQLite waits for a lock. */
  timeout: number;
  /** How long a connection to PostgreSQL, or the turn to write to SQLite, is waited for. */
  waitTimeout: number;
}

/**
 * The same without limits of time on statements, for work that takes as long as it needs; a statement
 * waits `lock` milliseconds for a lock, or without a bound.
 */
export function withoutTimeouts(options: DataSourceOptions, lock = 0): DataSourceOptions {
  if (options.type !== 'postgres') return options;
  const limits: SessionLimits = { statement: 0, idleInTransaction: 0, lock };
  const untimed = { query_timeout: 0, limits };
  return { ...options, extra: { ...(options.extra as object), ...untimed, max: 2 } };
}

/** A statement of a migration may take this long, in seconds. */
const HOUR = 3_600;

/** TypeORM's options for a program that runs migrations. */
export const migrationOptions = (url: string, tables: Tables): DataSourceOptions =>
  databaseOptions(url, tables, { poolSize: 2, timeout: HOUR, waitTimeout: 5 });

/** As the settings have it by default, for tools that have a URL alone. */
const DEFAULTS: DatabaseSettings = { poolSize: 10, timeout: 5, waitTimeout: 5 };

/** TypeORM's options for a `DATABASE_URL`: `sqlite:<path>` or `postgres://…`. */
export function databaseOptions(
  url: string,
  { entities, migrations }: Tables,
  settings: DatabaseSettings = DEFAULTS,
): DataSourceOptions {
  const common = {
    entities,
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    logging: false,
    // `findOneBy({ id: undefined })` would find the first row.
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  } as const;
  const path = sqlitePath(url);
  if (path !== undefined) {
    return {
      ...common,
      type: 'sqlite',
      driver: sqliteDriver,
      database: path,
      enableWAL: true,
      busyTimeout: settings.timeout * 1000,
    };
  }
  return {
    ...common,
    type: 'postgres',
    // A connection lost while idle is no event: the pool makes another.
    poolErrorHandler: () => undefined,
    extra: {
      ...postgresClientOptions(url, settings),
      Client: postgresClientClass(),
      max: settings.poolSize,
    },
  };
}

/** Returns the file of a SQLite database by its URL; undefined for PostgreSQL. */
export const sqlitePath = (url: string): string | undefined =>
  url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
