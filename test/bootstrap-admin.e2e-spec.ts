import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import type { FreshDatabase } from './support/databases.js';
import { freshMachine, type Machine } from './support/instances.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';

let machine: Machine;
let database: FreshDatabase;
let cwd: string;
beforeEach(async () => {
  machine = await freshMachine();
  ({ database, cwd } = machine);
});
afterEach(() => machine.end());

const start = (env: Record<string, string> = { BOOTSTRAP_ADMIN: 'Root' }) =>
  machine.start({ DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET, ...env });

it('is not made if it could not sign in, and the start says how to make one', async () => {
  const { code, output } = await start({
    BOOTSTRAP_ADMIN: 'Root',
    REQUIRE_VERIFIED_EMAIL: 'on',
  }).exit;
  expect(code).toBe(1);
  expect(output).toContain('npx latchkey users create Root --role admin --email … --verified');
});

async function stop(server: ReturnType<typeof start>) {
  server.child.kill('SIGKILL');
  await server.exit;
}

const fileIn = (folder: string) => join(cwd, folder, 'bootstrap-admin');

async function passwordIn(folder = 'data'): Promise<string> {
  const text = await readFile(fileIn(folder), 'utf8');
  const [, password = ''] = /^Username: Root\nPassword: ([\w-]{32})\n$/.exec(text) ?? [];
  return password;
}

/** The roles of who signs in, or the code of the refusal. */
async function rolesOf(url: string, username: string, password: string) {
  const login = await request(url).post('/login').send({ username, password });
  const { jwt, code } = login.body as { jwt?: string; code?: string };
  if (!jwt) return code;
  const me = await request(url).get('/me').auth(jwt, { type: 'bearer' });
  return (me.body as { roles: string[] }).roles;
}

it('makes the first administrator once, with a password in a file that only its owner reads', async () => {
  const first = start();
  const url = await first.listening;
  const password = await passwordIn();
  expect(await rolesOf(url, 'root', password)).toEqual(['admin']);
  expect((await stat(fileIn('data'))).mode & 0o777).toBe(0o600);
  expect(first.output()).toContain('Created Root with the role admin');
  expect(first.output()).not.toContain(password);
  await stop(first);

  const second = start({ BOOTSTRAP_ADMIN: 'Other' });
  const again = await second.listening;
  expect(await rolesOf(again, 'other', password)).toBe('bad_credentials');
  expect(await rolesOf(again, 'root', password)).toEqual(['admin']);
  expect(await passwordIn()).toBe(password);
  expect(second.output()).toContain('Change the password in data/bootstrap-admin');
  expect(second.output()).not.toContain(password);
});

it('grants nothing to who has the name already', async () => {
  const before = start({});
  const user = { username: 'root', password: GOOD_PASSWORD };
  await request(await before.listening)
    .post('/register')
    .send(user)
    .expect(201);
  await stop(before);
  const after = start();
  const url = await after.listening;
  expect(await rolesOf(url, 'root', GOOD_PASSWORD)).toEqual([]);
  expect(after.output()).toContain('a user Root exists already');
  expect(existsSync(fileIn('data'))).toBe(false);
});

it.each([
  ['a folder of its own each', ['one', 'two', 'three']],
  ['one folder', ['data', 'data', 'data']],
])('makes one where three instances start at once, with %s', async (_what, folders) => {
  const servers = folders.map((DATA_DIR) => start({ BOOTSTRAP_ADMIN: 'Root', DATA_DIR }));
  const [url = ''] = await Promise.all(servers.map(({ listening }) => listening));
  const holders = [...new Set(folders)].filter((folder) => existsSync(fileIn(folder)));
  expect(holders).toHaveLength(1);
  expect(await rolesOf(url, 'root', await passwordIn(holders[0]))).toEqual(['admin']);
  const outputs = servers.map((server) => server.output()).join('');
  expect(outputs.match(/Created Root with the role admin/g)).toHaveLength(1);
  expect(outputs).not.toContain('exists already');
});

it('takes up the password of a start that was killed before the user was made', async () => {
  await mkdir(join(cwd, 'data'));
  const password = 'p'.repeat(32);
  await writeFile(fileIn('data'), `Username: Root\nPassword: ${password}\n`);
  const url = await start().listening;
  expect(await rolesOf(url, 'root', password)).toEqual(['admin']);
});

it('does not start with a name that is none', async () => {
  const { code, output } = await start({ BOOTSTRAP_ADMIN: 'no name' }).exit;
  expect(code).toBe(1);
  expect(output).toContain('BOOTSTRAP_ADMIN: The username must not contain blanks');
});
