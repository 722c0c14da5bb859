import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { databaseKind } from './support/databases.js';
import { type CommandOptions, latchkey } from './support/server-cli.js';
import { runTool } from './support/server-tools.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** For tests that run many programs, on a machine that has other work. */
const LONG = 300_000;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const cli = (args: string[], options?: CommandOptions) => latchkey(server, args, options);

describe('a command line with a secret', () => {
  const secret = 'hunter2-canary';
  it.each([
    ['as a second argument', ['users', 'create', 'eve', secret]],
    ['as an option', ['users', 'create', 'eve', '--password', secret]],
    ['as an option with a sign', ['users', 'create', 'eve', `--password=${secret}`]],
    ['as a short option', ['users', 'set-password', 'root', `-p${secret}`]],
    ['as a second argument of set-password', ['users', 'set-password', 'root', secret]],
  ])('takes no password from the command line: %s', async (_what, args) => {
    expect(await cli(args, { input: GOOD_PASSWORD })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'A password is not accepted as an argument, because the list of processes and the ' +
        'history of the shell show it. Type it when you are asked, or give it on the standard input\n',
    });
  });

  it('does not repeat what was given to an unknown option', async () => {
    const { code, stderr } = await cli(['users', 'create', 'eve', `--passwd=${secret}`]);
    expect([code, stderr]).toEqual([2, "error: unknown option '--passwd=…'\n"]);
  });
});

it.each([
  ['show', 'nobody'],
  ['disable', '11111111-1111-4111-8111-111111111111'],
  ['set-password', 'no body\u001B[2J'],
])('says that there is no such user: %s %s', async (command, name) => {
  const { code, stdout, stderr } = await cli(['users', command, name], { input: GOOD_PASSWORD });
  expect([code, stdout, stderr]).toEqual([3, '', `There is no user ${JSON.stringify(name)}\n`]);
});

it('exits with 2 for a command line that it does not understand', async () => {
  for (const args of [
    ['users', 'frobnicate'],
    ['users', 'show'],
    ['users', 'list', '--limit', '0'],
  ]) {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: .+\n/);
  }
});

it('makes no database where it only looks, and says which settings are wrong', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'latchkey-cli-'));
  try {
    expect(await runTool(cwd, ['users', 'show', 'ada'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'There is no database data/latchkey.sqlite: run this command in the folder of the server\n',
    });
    expect(existsSync(join(cwd, 'data'))).toBe(false);
    const wrong = await runTool(cwd, ['users', 'list'], { BCRYPT_COST: '3' });
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('BCRYPT_COST: expected a whole number from 4 to 16'),
    ]);
    const away = { DATABASE_URL: 'postgres://canary:canary@127.0.0.1:1/none' };
    expect(await runTool(cwd, ['users', 'list'], away)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The database cannot be used: ECONNREFUSED\n',
    });
  } finally {
    await rm(cwd, { recursive: true });
  }
});

it(
  'has the other programs as commands',
  async () => {
    const keys = await cli(['keys', 'generate', 'HS256']);
    expect(keys.stdout).toMatch(
      /^\n# HS256 secret: kid=\S+\nJWT_ALGORITHM=HS256\nJWT_SECRET_KEY=\S+\n$/,
    );
    const findings = await cli(['doctor', '--json']);
    expect(JSON.parse(findings.stdout)).toContainEqual(
      expect.objectContaining({ check: 'database', status: 'ok' }),
    );
    const backup = await cli(['db', 'backup', 'copy.sqlite']);
    expect(backup.code).toBe(databaseKind() === 'sqlite' ? 0 : 1);
    const copy = await cli([
      'db',
      'copy',
      '--from',
      server.database.url,
      '--to',
      'sqlite:to.sqlite',
    ]);
    expect(copy).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('The copy is complete') as string,
    });
  },
  LONG,
);

it('is what npx runs in the project', async () => {
  const { stdout } = await promisify(execFile)('npx', ['--offline', 'latchkey', '--help'], {
    cwd: resolve('.'),
    env: { PATH: process.env.PATH, HOME: server.database.dataDir },
  });
  expect(stdout).toMatch(/^Usage: latchkey /);
});
