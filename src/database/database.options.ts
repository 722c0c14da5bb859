import type { DataSourceOptions } from 'typeorm';
import { AuditChain1764100000001 } from '../audit-chain/1764100000001-audit-chain.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { AuditKey } from '../audit-chain/audit-key.entity.js';
import { AuditMark } from '../audit-chain/audit-mark.entity.js';
import { OutboxItem } from '../mail/outbox-item.entity.js';
import { CodeMiss } from '../mailed-links/code-miss.entity.js';
import { OneTimeToken } from '../mailed-links/one-time-token.entity.js';
import { PasswordCost } from '../passwords/password-cost.entity.js';
import { Role } from '../roles/role.entity.js';
import { Revocation } from '../sessions/revocation.entity.js';
import { Session } from '../sessions/session.entity.js';
import { User } from '../users/user.entity.js';
import { UsernameClaim } from '../users/username-claim.entity.js';
import { UserRole } from '../users/user-role.entity.js';
import { WebhookOutbox1764100000002 } from '../webhooks/1764100000002-webhook-outbox.js';
import { WebhookItem } from '../webhooks/webhook-item.entity.js';
import { Initial1764100000000 } from './migrations/1764100000000-initial.js';
import { PostgresClient, postgresClientOptions } from './postgres-client.js';
import type { SessionLimits } from './postgres-session.js';
import { sqliteDriver } from './sqlite-driver.js';

/** Every entity and every migration, in order: one set serves both databases. */
const entities = [
  User,
  Session,
  Revocation,
  OutboxItem,
  OneTimeToken,
  CodeMiss,
  UserRole,
  UsernameClaim,
  PasswordCost,
  Role,
  AuditEvent,
  AuditMark,
  AuditKey,
  WebhookItem,
];
const migrations = [Initial1764100000000, AuditChain1764100000001, WebhookOutbox1764100000002];

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

/** As the settings have it by default, for tools that have a URL alone. */
const DEFAULTS: DatabaseSettings = { poolSize: 10, timeout: 5, waitTimeout: 5 };

/** TypeORM's options for a `DATABASE_URL`: `sqlite:<path>` or `postgres://…`. */
export function databaseOptions(
  url: string,
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
  if (url.startsWith('sqlite:')) {
    return {
      ...common,
      type: 'sqlite',
      driver: sqliteDriver,
      database: url.slice('sqlite:'.length),
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
      Client: PostgresClient,
      max: settings.poolSize,
    },
  };
}
