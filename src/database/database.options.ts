import type { DataSourceOptions } from 'typeorm';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { AuditKey } from '../audit-chain/audit-key.entity.js';
import { AuditMark } from '../audit-chain/audit-mark.entity.js';
import { OutboxItem } from '../mail/outbox-item.entity.js';
import { CodeMiss } from '../one-time-tokens/code-miss.entity.js';
import { OneTimeToken } from '../one-time-tokens/one-time-token.entity.js';
import { PasswordCost } from '../passwords/password-cost.entity.js';
import { Role } from '../roles/role.entity.js';
import { Revocation } from '../sessions/revocation.entity.js';
import { Session } from '../sessions/session.entity.js';
import { User } from '../users/user.entity.js';
import { UsernameClaim } from '../users/username-claim.entity.js';
import { UserRole } from '../users/user-role.entity.js';
import { WebhookItem } from '../webhooks/webhook-item.entity.js';
import { CreateUsers1764000000000 } from './migrations/1764000000000-create-users.js';
import { CreateSessions1764000000001 } from './migrations/1764000000001-create-sessions.js';
import { CreateRevocations1764000000002 } from './migrations/1764000000002-create-revocations.js';
import { CreateMailOutbox1764000000010 } from './migrations/1764000000010-create-mail-outbox.js';
import { CreateOneTimeTokens1764000000011 } from './migrations/1764000000011-create-one-time-tokens.js';
import { AddAccountColumns1764000000012 } from './migrations/1764000000012-add-account-columns.js';
import { CreateAudit1764000000030 } from './migrations/1764000000030-create-audit.js';
import { AdministerUsers1764000000040 } from './migrations/1764000000040-administer-users.js';
import { CreateWebhookOutbox1764000000050 } from './migrations/1764000000050-create-webhook-outbox.js';
import { CreateCodeMisses1764000000060 } from './migrations/1764000000060-create-code-misses.js';
import { EndUnprovenWaysBack1764000000070 } from './migrations/1764000000070-end-unproven-ways-back.js';
import { CheckAuditKeys1764000000090 } from './migrations/1764000000090-check-audit-keys.js';
import { OrderRevocations1764000000100 } from './migrations/1764000000100-order-revocations.js';
import { RecoverSessions1764000000110 } from './migrations/1764000000110-recover-sessions.js';
import { CreateUsernameClaims1764000000080 } from './migrations/1764000000080-create-username-claims.js';
import { CreatePasswordCosts1764000000081 } from './migrations/1764000000081-create-password-costs.js';
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
const migrations = [
  CreateUsers1764000000000,
  CreateSessions1764000000001,
  CreateRevocations1764000000002,
  CreateMailOutbox1764000000010,
  CreateOneTimeTokens1764000000011,
  AddAccountColumns1764000000012,
  CreateAudit1764000000030,
  AdministerUsers1764000000040,
  CreateWebhookOutbox1764000000050,
  CreateCodeMisses1764000000060,
  EndUnprovenWaysBack1764000000070,
  CreateUsernameClaims1764000000080,
  CreatePasswordCosts1764000000081,
  CheckAuditKeys1764000000090,
  OrderRevocations1764000000100,
  RecoverSessions1764000000110,
];

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
