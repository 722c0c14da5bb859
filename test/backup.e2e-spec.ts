import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import request from 'supertest';
import { databaseKind, type FreshDatabase, freshDatabase } from './support/databases.js';
import { GOOD_PASSWORD, SECRET, type Server, startServer } from './support/server.js';
import { startProcess } from './support/server-process.js';
import { runTool } from './support/server-tools.js';

const program = promisify(execFile);

let server: Server;
let restored: FreshDatabase;
let cwd: string;
beforeAll(async () => {
  server = await startServer();
  restored = await freshDatabase();
  cwd = await mkdtemp(join(tmpdir(), 'latchkey-backup-'));
});
afterAll(async () => {
  await server.stop();
  await restored.drop();
  await rm(cwd, { recursive: true });
});

const backUp = (file: string) =>
  runTool(cwd, ['db', 'backup', file], { DATABASE_URL: server.database.url });

/** Takes a backup while somebody registers; resolves to the names that were there when it began. */
async function underLoad(takeBackup: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const over = new AbortController();
  const load = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      await server.register(`user${i}`);
      names.push(`user${i}`);
    }
  })();
  while (names.length < 5) await new Promise(setImmediate);
  const before = [...names];
  await takeBackup();
  over.abort();
  await load;
  return before;
}

/** A server on the restored database knows them by their passwords, and their tokens. */
async function holds(names: string[], jwt: string): Promise<void> {
  const second = startProcess(cwd, { DATABASE_URL: restored.url, JWT_SECRET_KEY: SECRET });
  try {
    const url = await second.listening;
    for (const username of names) {
      await request(url).post('/login').send({ username, password: GOOD_PASSWORD }).expect(200);
    }
    const response = await request(url).get('/protected').auth(jwt, { type: 'bearer' });
    expect([response.status, response.body]).toEqual([200, { hello_from: 'ada' }]);
  } finally {
    second.child.kill('SIGKILL');
    await second.exit;
  }
}

// Without pg_dump the global setup says that this is left out.
const dumps = databaseKind() === 'sqlite' || spawnSync('pg_dump', ['--version']).status === 0;
const restoring = dumps ? it : () => undefined;
restoring('restores a backup that was taken while the server was written to', async () => {
  await server.register('ada');
  const { jwt } = await server.login('ada');
  const file = join(cwd, 'backup');
  if (databaseKind() === 'postgres') {
    // The words of docs/operations.md.
    const names = await underLoad(() =>
      program('pg_dump', ['--format=custom', `--file=${file}`, server.database.url]),
    );
    const restore = ['--exit-on-error', '--no-owner', `--dbname=${restored.url}`, file];
    await program('pg_restore', restore);
    await holds(['ada', ...names], jwt);
  } else {
    const names = await underLoad(async () => {
      expect(await backUp(file)).toMatchObject({ code: 0 });
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await copyFile(file, restored.url.slice('sqlite:'.length));
    await holds(['ada', ...names], jwt);
  }
});

it('takes no backup over a file, of nothing, or of PostgreSQL', async () => {
  const file = join(cwd, 'there');
  await writeFile(file, 'precious');
  const { code, stderr } = await backUp(file);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    databaseKind() === 'postgres' ? /^This command is for SQLite/ : /already exists/,
  );
  const nothing = await runTool(cwd, ['db', 'backup', 'new'], { DATABASE_URL: 'sqlite:no/where' });
  expect(nothing).toMatchObject({ code: 1, stderr: 'There is no database no/where\n' });
  await writeFile(join(cwd, 'empty'), '');
  const empty = await runTool(cwd, ['db', 'backup', 'new'], { DATABASE_URL: 'sqlite:empty' });
  expect(empty).toMatchObject({ code: 1, stderr: 'empty has no tables of Latchkey\n' });
  await rm(join(cwd, 'empty'));
  expect((await readdir(cwd)).filter((name) => name !== 'backup')).toEqual(['there']);
});
