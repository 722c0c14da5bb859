import { DataSource } from 'typeorm';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { asking, person } from './support/admins.js';
import { type Cluster, postgresPrograms, startCluster } from './support/cluster.js';
import { freshDatabase } from './support/databases.js';
import { ask } from './support/http.js';
import { until } from './support/wait.js';
import { onServer } from './support/on-server.js';
import { pgBouncerProgram, startPgBouncer } from './support/pgbouncer.js';
import { processes } from './support/server-process.js';
import { GOOD_PASSWORD, SECRET, type Server, startServer } from './support/server.js';
import { runTool } from './support/server-tools.js';

/** Defaults under which Latchkey would lose writes, or not work. */
const HOSTILE = {
  default_transaction_isolation: `'serializable'`,
  default_transaction_deferrable: 'on',
  // Not 1: it also holds for the statement by which a connection replaces these defaults.
  statement_timeout: '100',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  synchronous_commit: 'off',
  row_security: 'on',
  search_path: `'nowhere'`,
};

/** What every connection of Latchkey has all the same, with its settings' default of 5 s. */
const RELIED_ON = {
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  statement_timeout: '30s',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '30s',
  synchronous_commit: 'on',
  row_security: 'off',
  search_path: 'public',
};

/** Sets defaults of the database at `url`, for connections to come. */
async function setDefaults(url: string, defaults: Record<string, string>): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  for (const [setting, value] of Object.entries(defaults)) {
    await onServer(
      process.env.TEST_DATABASE_URL ?? '',
      `ALTER DATABASE ${name} SET ${setting} = ${value}`,
    );
  }
}

const settingsOf = (server: Server) =>
  server.app
    .get(DataSource)
    .query<{ name: string; value: string }[]>(
      `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)`,
      [Object.keys(RELIED_ON)],
    )
    .then((rows) => Object.fromEntries(rows.map(({ name, value }) => [name, value])));

describe('a database whose defaults are hostile', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(async ({ url }) => {
      await setDefaults(url, HOSTILE);
      // The tests ask for conflicts, not for speed: disks of busy machines are slow.
      return { DATABASE_TIMEOUT: '30s' };
    });
  });
  afterAll(() => server.stop());

  it('does not change the settings of a connection', async () => {
    expect(await settingsOf(server)).toEqual(RELIED_ON);
  });

  it('leaves one of two administrators who demote each other', async () => {
    const pair = [await person(server, 'one', ['admin']), await person(server, 'two', ['admin'])];
    for (let round = 0; round < 6; round++) {
      const outcomes = await Promise.all(
        pair.map(async ({ name }, i) => {
          const { jwt } = await server.login(name);
          const other = pair[1 - i]?.id ?? '';
          return asking(server, jwt).outcome('PATCH', `/users/${other}`, { roles: [] });
        }),
      );
      expect(outcomes).not.toContain('unavailable');
      const [admins] = await server.withDatabase((db) =>
        db.query<{ count: string }[]>(`SELECT count(*) FROM user_roles WHERE role = 'admin'`),
      );
      expect([round, admins]).toEqual([round, { count: '1' }]);
      for (const { id } of pair) await server.app.get(UserChangesService).setRoles(id, ['admin']);
    }
  });

  it('makes no conflict of many changes of one user at once', async () => {
    const ada = await person(server, 'ada');
    const tokens = await Promise.all(Array.from({ length: 16 }, () => server.login('ada')));
    const patches = Array.from({ length: 16 }, (_, i) =>
      ada.outcome('PATCH', '/me', { displayName: `Ada ${i}` }),
    );
    expect(new Set(await Promise.all(patches))).toEqual(new Set([200]));
    const logouts = tokens.map(({ jwt }) => asking(server, jwt).outcome('POST', '/logout'));
    expect(new Set(await Promise.all(logouts))).toEqual(new Set([204]));
  });
});

it('does not start on another, empty schema after search_path was changed', async () => {
  const database = await freshDatabase({ migrated: true });
  const server = processes();
  try {
    await onServer(database.url, 'CREATE SCHEMA other');
    await setDefaults(database.url, { search_path: `'other'` });
    const env = { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET };
    const { code, output } = await server.start(database.dataDir, env).exit;
    expect(code).toBe(1);
    expect(output).toContain(
      'The tables of Latchkey are in the schema public, but search_path leads to other',
    );
  } finally {
    await server.killAll();
    await database.drop();
  }
});

it('does not start on a read-only database, in words, and the doctor says so too', async () => {
  const database = await freshDatabase({ migrated: true });
  const server = processes();
  try {
    await setDefaults(database.url, { default_transaction_read_only: 'on' });
    const env = { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET };
    const { code, output } = await server.start(database.dataDir, env).exit;
    expect(code).toBe(1);
    expect(output).toContain('The database is read-only');
    const { stdout } = await runTool(database.dataDir, ['doctor', '--json'], env);
    expect(JSON.parse(stdout)).toContainEqual({
      check: 'database',
      status: 'fail',
      message: 'is read-only',
      advice: expect.stringContaining('default_transaction_read_only') as string,
    });
  } finally {
    await server.killAll();
    await database.drop();
  }
});

if (postgresPrograms !== undefined) {
  describe('a server that becomes read-only and keeps its connections open', () => {
    let cluster: Cluster;
    let server: Server;
    beforeAll(async () => {
      cluster = await startCluster();
      server = await startServer({ DATABASE_URL: cluster.url, DATABASE_POOL_SIZE: '4' });
    });
    afterAll(async () => {
      await server.stop();
      await cluster.remove();
    });

    const pids = async (): Promise<number[]> => {
      const rows = (await onServer(
        cluster.url,
        `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'latchkey%'`,
      )) as { pid: number }[];
      return rows.map(({ pid }) => pid);
    };
    const readOnly = async (value: 'on' | 'off') => {
      await onServer(cluster.url, `ALTER SYSTEM SET default_transaction_read_only = ${value}`);
      await onServer(cluster.url, 'SELECT pg_reload_conf()');
    };

    it('is given up by every connection, and written to again once it can be', async () => {
      await server.register('before');
      // Several connections, and the one that listens.
      await Promise.all(Array.from({ length: 8 }, () => server.http.get('/health/ready')));
      const old = await pids();
      expect(old.length).toBeGreaterThan(2);

      await readOnly('on');
      await until(async () => {
        const present = await pids();
        return !present.some((pid) => old.includes(pid));
      }, 'the end of all connections');
      const body = { username: 'while', password: GOOD_PASSWORD };
      const response = await server.http.post('/register').send(body);
      expect([response.status, (response.body as { code: string }).code]).toEqual([
        503,
        'unavailable',
      ]);
      const ready = await server.http.get('/health/ready');
      expect([ready.status, ready.body]).toEqual([
        503,
        { msg: 'Not ready: database', code: 'not_ready' },
      ]);

      await readOnly('off');
      await until(
        async () => (await server.http.get('/health/ready')).status === 200,
        'a server that is ready',
      );
      await server.register('after');
      await until(async () => {
        const listeners = (await onServer(
          cluster.url,
          `SELECT pid FROM pg_stat_activity WHERE application_name = 'latchkey-listen'`,
        )) as { pid: number }[];
        return listeners.some(({ pid }) => !old.includes(pid));
      }, 'a new connection that listens');
    });
  });
}

if (pgBouncerProgram !== undefined) {
  describe('PgBouncer with its default configuration', () => {
    it('in session mode serves two servers, from registration to logout', async () => {
      const database = await freshDatabase();
      const bouncer = await startPgBouncer(database.url, 'session');
      const server = processes();
      try {
        const env = { DATABASE_URL: bouncer.url, JWT_SECRET_KEY: SECRET };
        const started = [1, 2].map(() => server.start(database.dataDir, env));
        const urls = await Promise.all(started.map(({ listening }) => listening));
        const [one = '', two = ''] = urls;
        const user = { username: 'ada', password: GOOD_PASSWORD };
        expect((await ask(one, 'POST', '/register', user)).status).toBe(201);
        const { jwt } = (await ask<{ jwt: string }>(two, 'POST', '/login', user)).body;
        expect((await ask(one, 'POST', '/logout', {}, jwt)).status).toBe(204);
        await until(
          async () => (await ask(two, 'GET', '/protected', undefined, jwt)).status === 401,
          'a token that is refused',
        );
      } finally {
        await server.killAll();
        await bouncer.stop();
        await database.drop();
      }
    });

    it('in transaction mode is refused at each start, in words', async () => {
      const database = await freshDatabase();
      const bouncer = await startPgBouncer(database.url, 'transaction');
      const server = processes();
      try {
        const env = { DATABASE_URL: bouncer.url, JWT_SECRET_KEY: SECRET };
        for (let start = 0; start < 2; start++) {
          const { code, output } = await server.start(database.dataDir, env).exit;
          expect(code).toBe(1);
          expect(output).toContain('Latchkey needs its session mode (pool_mode=session)');
        }
      } finally {
        await server.killAll();
        await bouncer.stop();
        await database.drop();
      }
    });
  });
}
