import type { DataSourceOptions } from 'typeorm';
import { OutboxItem } from '../mail/outbox-item.entity.js';
import { OneTimeToken } from '../one-time-tokens/one-time-token.entity.js';
import { Revocation } from '../sessions/revocation.entity.js';
import { Session } from '../sessions/session.entity.js';
import { User } from '../users/user.entity.js';
import { CreateUsers1764000000000 } from './migrations/1764000000000-create-users.js';
import { CreateSessions1764000000001 } from './migrations/1764000000001-create-sessions.js';
import { CreateRevocations1764000000002 } from './migrations/1764000000002-create-revocations.js';
import { CreateMailOutbox1764000000010 } from './migrations/1764000000010-create-mail-outbox.js';
import { CreateOneTimeTokens1764000000011 } from './migrations/1764000000011-create-one-time-tokens.js';

/** Every entity and every migration, in order: one set serves both databases. */
const entities = [User, Session, Revocation, OutboxItem, OneTimeToken];
const migrations = [
  CreateUsers1764000000000,
  CreateSessions1764000000001,
  CreateRevocations1764000000002,
  CreateMailOutbox1764000000010,
  CreateOneTimeTokens1764000000011,
];

/** How long a query may take, and SQLite waits for a lock, in milliseconds. */
const TIMEOUT = 5_000;

/** TypeORM's options for a `DATABASE_URL`: `sqlite:<path>` or `postgres://…`. */
export function databaseOptions(url: string): DataSourceOptions {
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
      database: url.slice('sqlite:'.length),
      enableWAL: true,
      busyTimeout: TIMEOUT,
    };
  }
  return {
    ...common,
    type: 'postgres',
    url,
    applicationName: 'latchkey',
    extra: { max: 10, connectionTimeoutMillis: TIMEOUT, statement_timeout: TIMEOUT },
  };
}
