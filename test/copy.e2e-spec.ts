import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import {
  databaseKind,
  type FreshDatabase,
  freshDatabase,
  onDatabase,
  onPostgres,
} from './support/databases.js';
import { addApp, appCode, unused } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { ask, codeOf } from './support/http.js';
import { addPasskey, signIn } from './support/passkeys.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import { kill, startProcess } from './support/server-process.js';
import { runTool } from './support/server-tools.js';
import { Authenticator } from './support/webauthn-authenticator.js';

// Fewer would be copied before the kill gets there.
const CROWD = Math.max(20_000, Number(process.env.COPY_ROWS ?? 100_000));

let cwd: string;
let target: FreshDatabase;
const children: ChildProcess[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'latchkey-copy-'));
  target = await freshDatabase();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => kill(child)));
  await target.drop();
  await rm(cwd, { recursive: true, force: true });
});

const ORIGIN = 'http://localhost:3000';
const sqlite = (name: string) => `sqlite:${join(cwd, name)}`;

async function serve<T>(url: string, work: (address: string) => Promise<T>): Promise<T> {
  const env = { DATABASE_URL: url, JWT_SECRET_KEY: SECRET, PUBLIC_URL: ORIGIN };
  const server = startProcess(cwd, env);
  children.push(server.child);
  const result = await work(await server.listening);
  server.child.kill('SIGTERM');
  await server.exit;
  return result;
}

const migrated = (url: string) => onDatabase(url, (db) => db.runMigrations());

/** A row as a text, whichever database it is of. */
const rows = (url: string, table: string) =>
  onDatabase(url, async (db) => {
    const found = await db.query<Record<string, unknown>[]>(`SELECT * FROM ${table}`);
    const plain = (value: unknown) => (typeof value === 'number' ? String(value) : value);
    return found
      .map((row) => Object.entries(row).map(([name, value]) => `${name}=${String(plain(value))}`))
      .map((pairs) => pairs.sort().join(' '))
      .sort();
  });

const copy = (from: string, to: string, ...more: string[]) =>
  runTool(cwd, ['db', 'copy', '--from', from, '--to', to, ...more], { TZ: 'Asia/Kolkata' });

const ada = { username: 'Ada', password: GOOD_PASSWORD };
const login = async (address: string) => {
  const response = await request(address).post('/login').send(ada).expect(200);
  return response.body as { jwt: string; refresh_token: string };
};

const bob = { username: 'Bob', password: GOOD_PASSWORD };
/** Registers a user with an app, recovery codes and a passkey. */
async function userWithFactors(url: string) {
  await ask(url, 'POST', '/register', bob);
  const jwt = String((await ask(url, 'POST', '/login', bob)).body.jwt);
  const app = await addApp(url, jwt);
  const authenticator = new Authenticator(ORIGIN);
  expect(await codeOf(addPasskey({ url }, jwt, authenticator))).toBe(201);
  return { ...app, authenticator };
}

it('moves 100,000 users over a kill -9, and tokens, passwords and factors stay good', async () => {
  const source = sqlite('source.sqlite');
  const { tokens, secret, recoveryCodes, authenticator } = await serve(source, async (address) => {
    const factors = await userWithFactors(address);
    await request(address).post('/register').send(ada).expect(201);
    return { ...factors, tokens: await login(address) };
  });
  await onDatabase(source, (db) =>
    db.query(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${CROWD})
         INSERT INTO users (id, username, username_key, email, email_key, password_hash,
             token_version, disabled_at, created_at, updated_at)
           SELECT printf('%08x-0000-4000-8000-000000000000', i), 'user' || i,
           'user' || i, 'u' || i || '@example.org', 'u' || i || '@example.org', password_hash,
           0, NULL, 1764000000000 + i, 1764000000000 + i FROM n, users WHERE username = 'Ada'`,
    ),
  );

  const args = ['--from', source, '--to', target.url];
  const broken = await runTool(cwd, ['db', 'copy', ...args], {}, (stderr, kill) => {
    if (stderr.includes('copying users: 10 %')) kill();
  });
  expect(broken.code).toBeNull();
  const early = startProcess(cwd, { DATABASE_URL: target.url, JWT_SECRET_KEY: SECRET });
  const { code, output } = await early.exit;
  expect([code, output]).toEqual([1, expect.stringContaining('unfinished copy')]);

  const whole = await copy(source, target.url);
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.stderr).not.toContain('copying users: 0 %');
  expect(whole.stderr).toContain('comparing users: 100 %');
  expect(whole.stdout).toContain(`users: ${CROWD + 2} rows, the same in both`);
  expect(await rows(target.url, 'sessions')).toEqual(await rows(source, 'sessions'));

  await onDatabase(target.url, unused);
  await serve(target.url, async (address) => {
    const hello = await request(address).get('/protected').auth(tokens.jwt, { type: 'bearer' });
    expect(hello.body).toEqual({ hello_from: 'Ada' });
    const { refresh_token } = tokens;
    await request(address).post('/refresh').send({ refresh_token }).expect(200);
    await login(address);
    const last = { username: `user${CROWD}`, password: GOOD_PASSWORD };
    await request(address).post('/login').send(last).expect(200);
    await request(address).post('/register').send(ada).expect(409);

    for (const proof of [{ code: appCode(secret) }, { recovery_code: recoveryCodes[0] }]) {
      const challenge = await challengeOf({ url: address }, bob.username);
      const answer = ask(address, 'POST', '/login/second-factor', { challenge, ...proof });
      expect([proof, await codeOf(answer)]).toEqual([proof, 200]);
    }
    expect(await codeOf(signIn({ url: address }, authenticator))).toBe(200);
  });
}, 300_000);

/** A user in the words of a database. */
const insertUser = (url: string, values: Record<string, string | null>) =>
  onDatabase(url, (db) => {
    const row = {
      id: 'id',
      username: 'name',
      username_key: 'name',
      email: null,
      email_key: null,
      password_hash: '$2b$12$',
      token_version: '0',
      disabled_at: null,
      created_at: '0',
      updated_at: '0',
      ...values,
    };
    const places = Object.keys(row).map((_name, index) => `$${index + 1}`);
    return db.query(
      `INSERT INTO users (${Object.keys(row).join()}) VALUES (${places.join()})`,
      Object.values(row),
    );
  });

it('keeps every value exactly, there and back', async () => {
  const source = sqlite('source.sqlite');
  await migrated(source);
  await insertUser(source, {
    id: '👩‍👩‍👧‍👦 Ünïcode \' " \\ $1 ? \n',
    email: '',
    display_name: '["a","ß"]',
    token_version: '-2147483648',
    disabled_at: '9223372036854775807',
    created_at: '9007199254740993',
    updated_at: '-1',
  });
  await insertUser(source, { id: 'ID', username_key: 'é' });
  await insertUser(source, { id: 'Id', username_key: 'e\u0301' });
  const back = sqlite('back.sqlite');
  expect(await copy(source, target.url)).toMatchObject({ code: 0 });
  expect(await copy(target.url, back)).toMatchObject({ code: 0 });
  const exact = (url: string) =>
    onDatabase(url, (db) =>
      db.query<unknown[]>(
        `SELECT id, username_key, email, display_name, CAST(token_version AS text) AS version,
           CAST(disabled_at AS text) AS disabled, CAST(created_at AS text) AS created,
           CAST(updated_at AS text) AS updated FROM users ORDER BY username_key`,
      ),
    );
  const before: unknown = await exact(source);
  expect(before).toHaveLength(3);
  expect(await exact(target.url)).toEqual(before);
  expect(await exact(back)).toEqual(before);
});

it('keeps what one key more than a batch, and a key of two columns, bring along', async () => {
  const source = sqlite('source.sqlite');
  for (const url of [source, target.url]) {
    await migrated(url);
    await onDatabase(url, async (db) => {
      const counting =
        databaseKind() === 'postgres' && url === target.url ? 'serial' : 'integer NOT NULL';
      await db.query(
        `CREATE TABLE own_rows (a integer, b varchar(9), c ${counting}, d boolean,
           PRIMARY KEY (a, b))`,
      );
    });
  }
  await onDatabase(source, (db) =>
    db.query(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2001)
         INSERT INTO own_rows SELECT i / 7, 'b' || i, i, i % 2 FROM n`,
    ),
  );
  const { code, stdout } = await copy(source, target.url);
  expect([code, stdout]).toEqual([0, expect.stringContaining('own_rows: 2001 rows')]);
  if (databaseKind() === 'postgres') {
    await onDatabase(target.url, async (db) => {
      await db.query(`INSERT INTO own_rows (a, b, d) VALUES (0, '', true)`);
      expect(await db.query(`SELECT c FROM own_rows WHERE b = ''`)).toEqual([{ c: 2002 }]);
    });
  }
});

it('lets one of two copies at once through, and the target is whole', async () => {
  const source = sqlite('source.sqlite');
  await migrated(source);
  await insertUser(source, {});
  const both = await Promise.all([copy(source, target.url), copy(source, target.url)]);
  const codes = both.map(({ code }) => code).sort();
  expect([
    [0, 1],
    [1, 1],
  ]).toContainEqual(codes);
  if (codes[0] === 1) expect(await copy(source, target.url)).toMatchObject({ code: 0 });
  expect(await rows(target.url, 'users')).toEqual(await rows(source, 'users'));
});

describe('refuses, in a sentence and without a password', () => {
  const refused = async (from: string, to: string, sentence: RegExp) => {
    const { code, stdout, stderr } = await copy(from, to);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n').at(-1)).toMatch(sentence);
    expect(stderr).not.toContain('canary');
  };

  it('a target that is not empty', async () => {
    const source = sqlite('source.sqlite');
    await migrated(source);
    await migrated(target.url);
    await insertUser(target.url, {});
    await refused(source, target.url, /^The target is not empty: table users has rows$/);
    expect(await rows(target.url, 'users')).toHaveLength(1);
  });

  it('a source that is not there', async () => {
    await refused(sqlite('nowhere'), target.url, /^There is no database .+nowhere$/);
  });

  it('a source that lacks a migration, or has one too many', async () => {
    const source = sqlite('source.sqlite');
    await migrated(source);
    const name = await onDatabase(source, async (db) => {
      await db.query(`INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTheFuture1')`);
      return db.migrations.at(-1)?.constructor.name;
    });
    await refused(source, target.url, /^The source was made by a newer .+: it has FromTheFuture1$/);
    await onDatabase(source, async (db) => {
      await db.query(`DELETE FROM migrations WHERE name IN ('FromTheFuture1', '${name}')`);
    });
    await refused(
      source,
      target.url,
      new RegExp(String.raw`^The source lacks migrations \(${name}\): start `),
    );
  });

  it('a source with a table or a column that the migrations do not make', async () => {
    const source = sqlite('source.sqlite');
    await migrated(source);
    await onDatabase(source, (db) => db.query('CREATE TABLE extra (id integer PRIMARY KEY)'));
    await refused(
      source,
      target.url,
      /^Table extra has other columns in the source than in the target$/,
    );
    await onDatabase(source, async (db) => {
      await db.query('DROP TABLE extra');
      await db.query('ALTER TABLE users ADD COLUMN extra integer');
    });
    await refused(
      source,
      target.url,
      /^Table users has other columns in the source than in the target$/,
    );
    await onDatabase(source, (db) => db.query('ALTER TABLE users DROP COLUMN extra'));
    expect(await copy(source, target.url)).toMatchObject({ code: 0 });
  });

  it('what is no database', async () => {
    await refused('mysql://u:canary@h/d', target.url, /^--from: expected sqlite:/);
    await refused(sqlite('x'), 'canary', /^--to: expected sqlite:/);
    const source = sqlite('source.sqlite');
    await migrated(source);
    await refused(source, 'postgres://u:canary@127.0.0.1:1/d', /ECONNREFUSED/);
  });

  onPostgres('a text that PostgreSQL cannot store', async () => {
    const source = sqlite('source.sqlite');
    await migrated(source);
    await onDatabase(source, (db) =>
      db.query(
        `INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at)
           VALUES ('id', 'n' || char(0), 'n', 'canary', 0, 0)`,
      ),
    );
    await refused(source, target.url, /^Table users: .*invalid byte sequence/);
  });
});

it('notices what changed in the target, and begins anew with --restart', async () => {
  const source = sqlite('source.sqlite');
  await migrated(source);
  for (let i = 0; i < 3; i++) await insertUser(source, { id: `${i}`, username_key: `${i}` });
  // As a copy leaves it that was killed before the comparison, and then somebody wrote.
  await migrated(target.url);
  await insertUser(target.url, { id: '2', username_key: 'two' });
  await onDatabase(target.url, async (db) => {
    await db.query('CREATE TABLE latchkey_copy (position text NOT NULL)');
    await db.query(`INSERT INTO latchkey_copy VALUES ('{"table":"users","after":["2"]}')`);
  });
  const first = await copy(source, target.url);
  expect(first.code).toBe(1);
  expect(first.stderr).toContain('Table users differs (3 rows in the source, 1 in the target)');
  expect(await copy(source, target.url, '--restart')).toMatchObject({ code: 0 });
  expect(await rows(target.url, 'users')).toEqual(await rows(source, 'users'));
});
