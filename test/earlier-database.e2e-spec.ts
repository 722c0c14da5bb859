import { join } from 'node:path';
import { tableNames } from '../src/database/migration-state.js';
import { type FreshDatabase, freshDatabase, onDatabase } from './support/databases.js';
import { SECRET } from './support/server.js';
import { runInHost } from './support/server-cli.js';
import { processes } from './support/server-process.js';

/** A database of a version before 0.1.0 has other tables and migrations, so that it cannot be upgraded. */
const MADE_BEFORE = 'made by a version of Latchkey before 0.1.0';
const ADVICE = 'npx latchkey users export';

const servers = processes();
let database: FreshDatabase;
let env: Record<string, string>;
beforeAll(async () => {
  database = await freshDatabase();
  env = { DATABASE_URL: database.url, DATA_DIR: database.dataDir, JWT_SECRET_KEY: SECRET };
  await onDatabase(database.url, async (db) => {
    await db.query('CREATE TABLE migrations (id integer, timestamp bigint, name varchar)');
    await db.query(
      `INSERT INTO migrations VALUES (1, 1764000000000, 'CreateUsers1764000000000'),
         (2, 1764000000001, 'CreateSessions1764000000001')`,
    );
    await db.query('CREATE TABLE users (id varchar(36), username varchar(1024))');
    await db.query(`INSERT INTO users VALUES ('1', 'alice')`);
  });
});
afterEach(async () => {
  const left = await onDatabase(database.url, async (db) => [
    await tableNames(db.createQueryRunner()),
    await db.query<unknown[]>('SELECT * FROM users'),
    await db.query<unknown[]>('SELECT name FROM migrations ORDER BY id'),
  ]);
  expect(left).toEqual([
    ['migrations', 'users'],
    [{ id: '1', username: 'alice' }],
    [{ name: 'CreateUsers1764000000000' }, { name: 'CreateSessions1764000000001' }],
  ]);
});
afterAll(async () => {
  await servers.killAll();
  await database.drop();
});

const latchkey = (...args: string[]) => runInHost(database.dataDir, args, env);

it('is refused by the start, which says how to move the users', async () => {
  const { code, output } = await servers.start(database.dataDir, env).exit;
  expect(code).toBe(1);
  expect(output).toContain(`This database was ${MADE_BEFORE}`);
  expect(output).toContain(ADVICE);
});

it('is named by the doctor', async () => {
  const { code, stdout } = await latchkey('doctor', '--json');
  expect(code).toBe(1);
  const findings = JSON.parse(stdout) as { check: string; message: string; advice: string }[];
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'database',
      message: `was ${MADE_BEFORE}`,
      advice: expect.stringContaining(ADVICE) as string,
    }),
  );
});

it.each([
  ['users', 'list'],
  ['users', 'export'],
  ['audit', 'verify'],
  ['migration', 'run'],
])('is refused by %s %s', async (...args) => {
  const { code, stdout, stderr } = await latchkey(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(MADE_BEFORE);
  expect(stderr).toContain(ADVICE);
});

it('is refused as the source of a copy and as its target', async () => {
  const other = `sqlite:${join(database.dataDir, 'other.sqlite')}`;
  await onDatabase(other, (db) => db.runMigrations());
  for (const [from, to] of [
    [database.url, `${other}-new`],
    [other, database.url],
  ] as const) {
    const { code, stderr } = await latchkey('db', 'copy', '--from', from, '--to', to);
    expect(code).toBe(1);
    expect(stderr).toContain(MADE_BEFORE);
  }
});
