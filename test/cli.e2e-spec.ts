import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROLE_NAME_RULE } from '../src/users/role-name.js';
import { databaseKind } from './support/databases.js';
import { type CommandOptions, latchkey } from './support/server-cli.js';
import { runTool } from './support/server-tools.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** For tests that run many programs, on a machine that has other work. */
const LONG = 300_000;

const OTHER_PASSWORD = 'another staple of horses';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const cli = (args: string[], options?: CommandOptions) => latchkey(server, args, options);

interface Record_ {
  id: string;
  roles: string[];
  disabledAt: string | null;
}

/** Runs a command that has to succeed, and reads what it prints for programs. */
async function told<T = Record_>(args: string[], input?: string): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, '--json'], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

const status = async (path: string, jwt: string) =>
  (await server.get(path, `Bearer ${jwt}`)).status;

/** Waits for what another process wrote to reach this server, which asks every second. */
async function refused(jwt: string) {
  for (const since = Date.now(); Date.now() - since < 10_000;) {
    const response = await server.get('/protected', `Bearer ${jwt}`);
    if (response.status !== 200) return (response.body as { code: string }).code;
  }
  return 'never';
}

const login = async (username: string, password = GOOD_PASSWORD) => {
  const response = await server.http.post('/login').send({ username, password });
  return response.status === 200 ? 200 : (response.body as { code: string }).code;
};

describe('users create', () => {
  it(
    'makes the first administrator, who can sign in with the password of the standard input',
    async () => {
      const made = await told(
        ['users', 'create', 'Root', '--email', 'root@example.org', '--verified', '--role', 'admin'],
        `${GOOD_PASSWORD}\r\n`,
      );
      expect(made).toEqual({
        id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
        username: 'Root',
        email: 'root@example.org',
        emailVerifiedAt: expect.any(String) as string,
        displayName: null,
        locale: null,
        roles: ['admin'],
        disabledAt: null,
        disabledReason: null,
        disabledUntil: null,
        createdAt: expect.any(String) as string,
      });
      const { jwt } = await server.login('root');
      const me = await server.get('/me', `Bearer ${jwt}`);
      expect(me.body).toMatchObject({ id: made.id, roles: ['admin'] });
      expect(await told(['users', 'show', 'ROOT@example.org'])).toEqual(made);
      expect(await told(['users', 'show', made.id.toUpperCase()])).toEqual(made);
    },
    LONG,
  );

  it('makes a user who cannot sign in, where no password is wanted', async () => {
    await told(['users', 'create', 'robot', '--no-password']);
    for (const password of ['!', GOOD_PASSWORD]) {
      expect(await login('robot', password)).toBe('bad_credentials');
    }
    await told(['users', 'set-password', 'robot'], GOOD_PASSWORD);
    expect(await login('robot')).toBe(200);
  });

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

  it.each([
    ['a name that is taken', ['ROOT'], GOOD_PASSWORD, 'This username is taken'],
    [
      'an address that is taken',
      ['eve', '--email', 'ROOT@example.org'],
      GOOD_PASSWORD,
      'This e-mail address is taken',
    ],
    ['no name', [''], GOOD_PASSWORD, 'The username is empty'],
    [
      'an emoji for a name',
      ['🐈'],
      GOOD_PASSWORD,
      'The username contains a character that is not a letter, digit or ASCII sign',
    ],
    ['no address', ['eve', '--email', 'eve'], GOOD_PASSWORD, 'The email is not an e-mail address'],
    [
      'no role',
      ['eve', '--role', 'a b'],
      GOOD_PASSWORD,
      `"a b" is not the name of a role. ${ROLE_NAME_RULE}`,
    ],
    ['no password', ['eve'], '', 'There is no password on the standard input'],
    ['a common password', ['eve'], 'password1', 'The password is one of the most common'],
    [
      'a NUL in the password',
      ['eve'],
      `${GOOD_PASSWORD}\0x`,
      'The password must not contain control characters',
    ],
    [
      'two lines of a password',
      ['eve'],
      'one horse\nanother',
      'The password must not contain control characters',
    ],
    [
      'a flood for a password',
      ['eve'],
      'x'.repeat(10_000_000),
      'The standard input is too long to be a password',
    ],
    [
      'bytes for a password',
      ['eve'],
      Buffer.from([0xff, 0xfe, 0x41]),
      'The password on the standard input is not in UTF-8',
    ],
  ])('refuses %s in words', async (_what, args, input, sentence) => {
    const outcome = await cli(['users', 'create', ...args], { input });
    expect(outcome).toEqual({ code: 1, stdout: '', stderr: `${sentence}\n` });
    expect(await login('eve')).toBe('bad_credentials');
  });
});

it(
  'lists users by name, role and state',
  async () => {
    await server.register('list-ada', GOOD_PASSWORD, 'list-ada@example.org');
    await server.register('list-bob');
    await told(['users', 'grant', 'list-bob', 'lister']);
    await told(['users', 'disable', 'list-bob']);
    const names = async (...args: string[]) => {
      const { code, stdout } = await cli(['users', 'list', '--json', ...args]);
      expect(code).toBe(0);
      const lines = stdout.trim().split('\n').filter(Boolean);
      return lines.map((line) => (JSON.parse(line) as { username: string }).username).sort();
    };
    expect(await names('--prefix', 'LIST-')).toEqual(['list-ada', 'list-bob']);
    expect(await names('--role', 'lister')).toEqual(['list-bob']);
    expect(await names('--prefix', 'list-', '--state', 'active')).toEqual(['list-ada']);
    expect(await names('--limit', '1')).toHaveLength(1);
    const { stdout } = await cli(['users', 'list', '--prefix', 'list-bob']);
    expect(stdout).toMatch(/^[\da-f-]{36}\tlist-bob\t-\tlister\tdisabled\n$/);
  },
  LONG,
);

it('disables a user at once, on running servers too, and enables again', async () => {
  const { id } = await server.register('dora');
  const { jwt } = await server.login('dora');
  expect(await status('/protected', jwt)).toBe(200);
  const disabled = await told(['users', 'disable', 'dora']);
  expect(disabled).toMatchObject({ id, disabledAt: expect.any(String) as string });
  expect(await refused(jwt)).toBe('token_revoked');
  expect(await login('dora')).toBe('user_disabled');
  const again = await cli(['users', 'disable', id]);
  expect(again).toEqual({ code: 0, stdout: `dora (${id}) was already disabled\n`, stderr: '' });
  expect(await told(['users', 'enable', 'dora'])).toMatchObject({ disabledAt: null });
  expect(await login('dora')).toBe(200);
});

it('sets a password, which ends all sessions', async () => {
  await server.register('petra');
  const { jwt } = await server.login('petra');
  await told(['users', 'set-password', 'petra'], `${OTHER_PASSWORD}\n`);
  expect(await refused(jwt)).toBe('token_revoked');
  expect(await login('petra')).toBe('bad_credentials');
  expect(await login('petra', OTHER_PASSWORD)).toBe(200);
  const weak = await cli(['users', 'set-password', 'petra'], { input: 'petra-petra' });
  expect(weak).toMatchObject({ code: 1, stderr: 'The password contains the username\n' });
});

it(
  'grants and revokes roles, which outdates living tokens',
  async () => {
    await server.register('greta');
    const { jwt, refresh_token: refreshToken } = await server.login('greta');
    expect(await told(['users', 'grant', 'greta', 'admin', 'editor', 'admin'])).toMatchObject({
      roles: ['admin', 'editor'],
    });
    expect(await refused(jwt)).toBe('token_stale');
    const refreshed = await server.http.post('/refresh').send({ refresh_token: refreshToken });
    const fresh = (refreshed.body as { jwt: string }).jwt;
    expect((await server.get('/me', `Bearer ${fresh}`)).body).toMatchObject({
      roles: ['admin', 'editor'],
    });
    expect(await told(['users', 'revoke', 'greta', 'admin'])).toMatchObject({ roles: ['editor'] });
    expect(await refused(fresh)).toBe('token_stale');
    const again = await cli(['users', 'revoke', 'greta', 'admin']);
    expect(again.stdout).toMatch(/does not have admin, as before\n$/);
  },
  LONG,
);

it('loses no role where several are granted at once', async () => {
  await server.register('multi');
  const roles = ['one', 'two', 'three'];
  const grant = (role: string) => cli(['users', 'grant', 'multi', role], { ownProcess: true });
  const granting = await Promise.all(roles.map(grant));
  expect(granting.map(({ code, stderr }) => [code, stderr])).toEqual(Array(3).fill([0, '']));
  const { roles: granted } = await told(['users', 'show', 'multi']);
  expect(granted.sort()).toEqual([...roles].sort());
});

it(
  'revokes sessions, one or all',
  async () => {
    const { id } = await server.register('sven');
    const first = await server.login('sven');
    const second = await server.login('sven');
    const [, payload = ''] = first.jwt.split('.');
    const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string };
    expect(await told(['sessions', 'revoke', 'sven', '--session', sid])).toEqual({
      userId: id,
      ended: 1,
    });
    expect(await refused(first.jwt)).toBe('token_revoked');
    expect(await status('/protected', second.jwt)).toBe(200);
    const gone = await cli(['sessions', 'revoke', 'sven', '--session', sid]);
    expect(gone.stderr).toBe(`sven has no active session "${sid}"\n`);
    expect(await told(['sessions', 'revoke', id])).toEqual({ userId: id, ended: 1 });
    expect(await refused(second.jwt)).toBe('token_revoked');
    expect(await told(['sessions', 'revoke', id])).toEqual({ userId: id, ended: 0 });
  },
  LONG,
);

it('deletes a user after a yes', async () => {
  const { id } = await server.register('del');
  const { jwt } = await server.login('del');
  expect(await cli(['users', 'delete', 'del'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Nothing was deleted: answer yes, or give --yes\n',
  });
  expect(await cli(['users', 'delete', 'del', '--yes'])).toEqual({
    code: 0,
    stdout: `del (${id}) was deleted\n`,
    stderr: '',
  });
  expect(await refused(jwt)).toBe('token_revoked');
  expect(await login('del')).toBe('bad_credentials');
});

it('takes no user for another whose id is his name', async () => {
  const { id } = await server.register('victim');
  await server.register(id);
  expect(await told(['users', 'show', id])).toMatchObject({ id, username: 'victim' });
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
    expect(backup.code).toBe(databaseKind === 'sqlite' ? 0 : 1);
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
