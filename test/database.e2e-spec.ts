import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { toApiError } from '../src/common/api-error.filter.js';
import { Database } from '../src/database/database.js';
import { UsersService } from '../src/users/users.service.js';
import { User } from '../src/users/user.entity.js';
import { sealAll } from './support/audit.js';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  // However slow the disk is, each write gets its turn.
  server = await startServer({ DATABASE_TIMEOUT: '60s' });
});
afterAll(() => server.stop());

const userById = (id: string) =>
  server.withDatabase((db) => db.getRepository(User).findOneByOrFail({ id }));

it('keeps every acknowledged registration of a thousand at once, with collisions', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `crowd${i % 700}`);
  const acknowledged: string[] = [];
  const statuses = new Set<number>();
  let next = 0;
  const client = async () => {
    for (let i = next++; i < names.length; i = next++) {
      const body = { username: names[i], password: GOOD_PASSWORD };
      const response = await server.http.post('/register').send(body);
      statuses.add(response.status);
      if (response.status === 201) acknowledged.push((response.body as { id: string }).id);
    }
  };
  await Promise.all(Array.from({ length: 100 }, client));
  expect([...statuses].sort()).toEqual([201, 409]);
  expect(acknowledged).toHaveLength(700);
  const stored = await server.withDatabase((db) => db.getRepository(User).find());
  const ids = new Set(stored.map(({ id }) => id));
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
});

it('does not let one rollback undo another write, nor show what is not committed', async () => {
  const database = server.app.get(Database);
  const users = server.app.get(UsersService);
  const [one, two] = [await server.register('one'), await server.register('two')];
  const rename = (id: string, username: string) =>
    database.write((manager) => manager.update(User, { id }, { username }));

  const steps = new EventEmitter();
  const [updated, seen] = [once(steps, 'updated'), once(steps, 'seen')];
  const failing = database.transaction(async (manager) => {
    await manager.update(User, { id: one.id }, { username: 'uncommitted' });
    steps.emit('updated');
    await seen;
    throw new Error('rolled back');
  });
  const failed = expect(failing).rejects.toThrow('rolled back');
  await updated;
  const written = rename(two.id, 'acknowledged');
  expect((await users.findById(one.id))?.username).toBe('one');
  steps.emit('seen');
  await failed;
  await written;
  expect((await userById(one.id)).username).toBe('one');
  expect((await userById(two.id)).username).toBe('acknowledged');
});

it.each(['write', 'transaction'] as const)(
  'refuses a %s inside a transaction at once, in words, and goes on',
  async (nested) => {
    const database = server.app.get(Database);
    const { id } = await server.register(`outer-${nested}`);
    const outer = database.transaction(async (manager) => {
      await manager.update(User, { id }, { username: 'lost' });
      await database[nested]((inner) => inner.update(User, { id }, { username: 'inner' }));
    });
    await expect(outer).rejects.toThrow(
      'A write inside a transaction waits for itself: use the manager that the transaction gives',
    );
    expect((await userById(id)).username).toBe(`outer-${nested}`);
    // What a transaction set off may write once it is over.
    let later: Promise<unknown> = Promise.resolve();
    await database.transaction(async (manager) => {
      database.afterCommit(manager, () => {
        later = database[nested]((after) => after.update(User, { id }, { username: 'later' }));
      });
      await manager.update(User, { id }, { username: 'first' });
    });
    await later;
    expect((await userById(id)).username).toBe('later');
  },
);

it('runs transactions side by side, each whole', async () => {
  const database = server.app.get(Database);
  const { id } = await server.register('counter');
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      database.transaction(async (manager) => {
        await manager.increment(User, { id }, 'tokenVersion', 1);
        if (i % 2) throw new Error('odd');
      }),
    ),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  expect((await userById(id)).tokenVersion).toBe(10);
});

it('never takes an undefined or null condition for none', async () => {
  const users = server.app.get(UsersService);
  await expect(users.findById(undefined as never)).rejects.toThrow();
  await expect(users.findById(null as never)).rejects.toThrow();
});

it('stores times that no time zone changes', async () => {
  const before = Date.now();
  const { id } = await server.register('clock');
  const [row] = await server.withDatabase((db) =>
    db.query<{ created_at: string | number }[]>(`SELECT created_at FROM users WHERE id = '${id}'`),
  );
  expect(Number(row?.created_at)).toBeGreaterThanOrEqual(before);
  expect(Number(row?.created_at)).toBeLessThanOrEqual(Date.now());
});

it('has a schema that the entities describe, and that goes down and up again', async () => {
  // So that the server writes nothing meanwhile.
  await sealAll(server);
  await server.withDatabase(async (db) => {
    const { upQueries } = await db.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    for (let left = db.migrations.length; left > 0; left--) await db.undoLastMigration();
    expect(await db.createQueryRunner().hasTable('users')).toBe(false);
    await db.runMigrations();
    expect(await db.createQueryRunner().hasTable('users')).toBe(true);
  });
});

const onSqlite = databaseKind() === 'sqlite' ? it : { each: () => () => undefined };
onSqlite.each([
  ['journal_mode', 'wal'],
  ['foreign_keys', 1],
  ['busy_timeout', 60_000],
  ['synchronous', 2],
])('has PRAGMA %s = %s on the connection that writes', async (pragma, value) => {
  const rows = (await server.app
    .get(Database)
    .write((manager) => manager.query<unknown[]>(`PRAGMA ${pragma}`))) as Record<string, unknown>[];
  expect(Object.values(rows[0] ?? {})).toEqual([value]);
});

if (databaseKind() === 'sqlite') {
  describe('writes that wait at the same time', () => {
    /** Runs a write that lasts until `others` wait behind it. Resolves to the outcomes, and the commits that they took. */
    const together = async (
      first: (manager: EntityManager) => Promise<unknown>,
      others: ((manager: EntityManager) => Promise<unknown>)[],
    ) => {
      const database = server.app.get(Database);
      let commits = 0;
      const counted = ({ query }: { query: string }) => {
        if (query === 'COMMIT') commits++;
      };
      const began = new EventEmitter();
      const [inside, waits] = [once(began, 'inside'), once(began, 'waits')];
      const results = [
        database.transaction(async (manager) => {
          database.observe(counted);
          began.emit('inside');
          await waits;
          return first(manager);
        }),
      ];
      await inside;
      results.push(...others.map((work) => database.transaction(work)));
      expect(database.use.waiting).toBe(others.length);
      began.emit('waits');
      const outcomes = await Promise.allSettled(results);
      return { commits, outcomes: outcomes.map(({ status }) => status) };
    };
    const registered = async (name: string, count: number) => {
      const users = Array.from({ length: count }, (_, i) => server.register(`${name}${i}`));
      return (await Promise.all(users)).map(({ id }) => id);
    };
    const increment = (id: string) => (manager: EntityManager) =>
      manager.increment(User, { id }, 'tokenVersion', 1);
    const failing = (id: string) => async (manager: EntityManager) => {
      await increment(id)(manager);
      throw new Error('undone');
    };
    const versions = (ids: string[]) =>
      Promise.all(ids.map(async (id) => (await userById(id)).tokenVersion));

    it('share one commit, and a failure undoes only its own write', async () => {
      const ids = await registered('shared', 5);
      const [one = '', ...others] = ids;
      const works = others.map((id, i) => (i % 2 ? increment(id) : failing(id)));
      const { commits, outcomes } = await together(increment(one), works);
      expect(outcomes).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
      expect(commits).toBe(1);
      expect(await versions(ids)).toEqual([1, 0, 1, 0, 1]);
    });

    it('outlive the failure of the first', async () => {
      const ids = await registered('failing', 2);
      const [one = '', two = ''] = ids;
      const { outcomes } = await together(failing(one), [increment(two)]);
      expect(outcomes).toEqual(['rejected', 'fulfilled']);
      expect(await versions(ids)).toEqual([0, 1]);
    });

    it('take no statement of another one that has ended', async () => {
      const [one = '', two = '', three = ''] = await registered('late', 3);
      const database = server.app.get(Database);
      const later = new EventEmitter();
      let late: Promise<unknown> = Promise.resolve();
      // The second statement runs while the first one fails, and a third one comes after the end.
      const failing = database.transaction((manager) => {
        late = once(later, 'now').then(() => increment(two)(manager));
        return Promise.all([
          manager.query('INSERT INTO nowhere VALUES (1)'),
          increment(one)(manager),
        ]);
      });
      const other = database.transaction(async (manager) => {
        later.emit('now');
        await expect(late).rejects.toThrow('after the end of its transaction');
        await increment(three)(manager);
      });
      await expect(failing).rejects.toThrow('nowhere');
      await other;
      expect(await versions([one, two, three])).toEqual([0, 0, 1]);
    });

    it('are answered when another connection can read them', async () => {
      const database = server.app.get(Database);
      const { id } = await server.register('readable');
      const users = server.app.get(UsersService);
      const seen: (number | undefined)[] = [];
      const work = async (manager: EntityManager) => {
        await increment(id)(manager);
        return (await manager.findOneByOrFail(User, { id })).tokenVersion;
      };
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const own = await database.transaction(work);
          const found = await users.findById(id);
          seen.push(Number(found && found.tokenVersion >= own));
        }),
      );
      expect(seen).toEqual(Array(20).fill(1));
    });

    it.each(['first', 'second', 'third'])(
      'are all refused if SQLite has rolled back under the %s, which ignores that',
      async (place) => {
        const ids = await registered(place, 4);
        const lost = ['first', 'second', 'third'].indexOf(place);
        const works = ids.map((id, i) => async (manager: EntityManager) => {
          await increment(id)(manager);
          if (i === lost) await manager.query('ROLLBACK');
        });
        const [one = increment(''), ...others] = works;
        const { outcomes } = await together(one, others);
        expect(outcomes).toEqual(Array(4).fill('rejected'));
        // The queue goes on.
        await server.register(`${place}-later`);
      },
    );
  });

  it('takes no write of a repository: a 500 that names the caller and the way to write', async () => {
    const users = server.app.get(DataSource).getRepository(User);
    const { id } = await server.register('saved');
    const byHand = async () => {
      const user = await users.findOneByOrFail({ id });
      await users.save({ ...user, username: 'by hand' });
    };
    const byBuilder = async () => {
      const values = { username: 'by hand' };
      await users.createQueryBuilder().update().set(values).where({ id }).execute();
    };
    const statements = [
      '-- a comment\nUPDATE users SET locale = NULL',
      '/* a\n comment */ DELETE FROM users',
      "WITH one AS (SELECT 'x' AS role) INSERT OR IGNORE INTO user_roles (role) SELECT role FROM one",
      "WITH one AS (SELECT 1) UPDATE OR IGNORE users SET username = 'by hand'",
      "WITH one AS (SELECT 1) REPLACE INTO roles (name) VALUES ('x')",
      'ANALYZE',
    ];
    const bySql = statements.map((sql) => () => users.query<undefined>(sql));
    for (const write of [byHand, byBuilder, ...bySql]) {
      const error = await write().then(
        () => new Error('written'),
        (reason: unknown) => reason as Error,
      );
      expect(error.message).toContain('Database.write');
      expect(error.stack).toContain('database.e2e-spec');
      expect(toApiError(error).status).toBe(500);
    }
    expect((await userById(id)).username).toBe('saved');
  });

  it('leaves no trace of the name of a deleted user in its file', async () => {
    const name = 'doomed-canary';
    await server.register(name);
    const { jwt } = await server.login(name);
    const path = server.database.url.slice('sqlite:'.length);
    const isThere = async () => {
      await server.withDatabase((db) => db.query('PRAGMA wal_checkpoint(TRUNCATE)'));
      return (await readFile(path)).includes(name);
    };
    expect(await isThere()).toBe(true);
    const body = { current_password: GOOD_PASSWORD };
    await server.http.delete('/me').auth(jwt, { type: 'bearer' }).send(body).expect(204);
    expect(await isThere()).toBe(false);
  });

  it('has sqlite3 keep no text of what each statement was given', async () => {
    const { default: sqlite3 } = await import('sqlite3');
    const all: unknown = Reflect.get(sqlite3.Database.prototype, 'all');
    expect(String(all)).not.toContain('inspect');
  });
}
