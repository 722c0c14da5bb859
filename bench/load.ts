import { randomBytes, randomUUID } from 'node:crypto';
import { type EntityTarget, type ObjectLiteral, type QueryRunner } from 'typeorm';
import { Session } from '../src/sessions/session.entity.js';
import { User } from '../src/users/user.entity.js';
import { openToFill } from './databases.js';

/** Rows of one statement. SQLite takes 32,766 parameters, PostgreSQL 65,535. */
const BATCH = 1_000;

/** A stored user with a session. */
export interface Loaded {
  userId: string;
  username: string;
  sessionId: string;
  salt: string;
}

/**
 * Fills a migrated database with `count` users, each with a session and the password of `passwordHash`. It
 * inserts a batch at a time, so its memory does not grow with their number. Resolves to `samples` of the users,
 * evenly spread.
 */
export async function load(
  url: string,
  count: number,
  passwordHash: string,
  samples: number,
): Promise<Loaded[]> {
  const dataSource = await openToFill(url);
  const sqlite = dataSource.options.type === 'sqlite';
  const every = Math.max(1, Math.floor(count / samples));
  const taken: Loaded[] = [];
  const runner = dataSource.createQueryRunner();
  try {
    if (sqlite) {
      await runner.query('PRAGMA synchronous = OFF');
      await runner.query('PRAGMA cache_size = -131072');
    }
    for (let at = 0; at < count; at += BATCH) {
      const pairs = Array.from({ length: Math.min(BATCH, count - at) }, (_, i) =>
        pair(at + i, passwordHash),
      );
      await runner.startTransaction();
      await insertRows(
        runner,
        User,
        pairs.map(({ user }) => user),
      );
      await insertRows(
        runner,
        Session,
        pairs.map(({ session }) => session),
      );
      await runner.commitTransaction();
      pairs.forEach(({ user, session }, i) => {
        if ((at + i) % every !== 0 || taken.length >= samples) return;
        const { id: userId, username } = user;
        taken.push({ userId, username, sessionId: session.id, salt: session.salt });
      });
    }
    // The database would do this by itself later, perhaps during the measurement.
    if (sqlite) await runner.query('PRAGMA wal_checkpoint(TRUNCATE)');
    else await runner.query('VACUUM ANALYZE');
    return taken;
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}

interface Pair {
  user: User;
  session: Session;
}

/** A user and a session as Latchkey makes them. */
function pair(number: number, passwordHash: string): Pair {
  const now = new Date();
  const name = `user${String(number).padStart(7, '0')}`;
  const email = `${name}@example.org`;
  const id = randomUUID();
  const user: User = {
    id,
    username: name,
    usernameKey: name,
    email,
    emailKey: email,
    emailVerifiedAt: null,
    displayName: null,
    locale: null,
    passwordHash,
    secondFactorSince: null,
    roles: [],
    tokenVersion: 0,
    disabledAt: null,
    disabledUntil: null,
    disabledReason: null,
    createdAt: now,
    updatedAt: now,
  };
  const session: Session = {
    id: randomUUID(),
    userId: id,
    createdAt: now,
    authenticatedAt: now,
    amr: ['pwd'],
    aal: 1,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + 30 * 86_400_000),
    endedAt: null,
    endReason: null,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    address: '192.0.2.1',
    refreshGeneration: 0,
    refreshedAt: now,
    recoveredGeneration: null,
    salt: randomBytes(16).toString('base64url'),
  };
  return { user, session };
}

/** One INSERT, with the columns and conversions of the entity. (TypeORM's own takes far longer.) */
export async function insertRows(
  runner: QueryRunner,
  entity: EntityTarget<ObjectLiteral>,
  rows: ObjectLiteral[],
): Promise<void> {
  const { driver } = runner.connection;
  const { columns: all, tableName } = runner.connection.getMetadata(entity);
  const columns = all.filter((column) => !column.isVirtualProperty);
  const postgres = driver.options.type === 'postgres';
  const parameters: unknown[] = [];
  const tuples = rows.map((row) => {
    const marks = columns.map((column) => {
      parameters.push(driver.preparePersistentValue(row[column.propertyName], column));
      return postgres ? `$${parameters.length}` : '?';
    });
    return `(${marks.join(',')})`;
  });
  const names = columns.map(({ databaseName }) => `"${databaseName}"`).join(',');
  await runner.query(
    `INSERT INTO "${tableName}" (${names}) VALUES ${tuples.join(',')}`,
    parameters,
  );
}
