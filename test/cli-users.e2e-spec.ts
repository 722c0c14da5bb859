import { type CommandOptions, latchkey } from './support/server-cli.js';
import { ROLE_NAME_RULE } from '../src/users/role-name.js';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { codeAt } from './support/sessions.js';
import { claimsOf } from './support/tokens.js';
import { until } from './support/wait.js';

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

/** Waits for what another process wrote to reach this server, which asks every second. */
const refused = (jwt: string) =>
  until(async () => {
    const code = await codeAt(server, jwt);
    return code !== 200 && code;
  }, 'a token that is refused');

const login = (username: string, password = GOOD_PASSWORD) =>
  codeOf(server.http.post('/login').send({ username, password }));

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
  expect(await codeAt(server, jwt)).toBe(200);
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
    const { sid } = claimsOf(first.jwt) as { sid: string };
    expect(await told(['sessions', 'revoke', 'sven', '--session', sid])).toEqual({
      userId: id,
      ended: 1,
    });
    expect(await refused(first.jwt)).toBe('token_revoked');
    expect(await codeAt(server, second.jwt)).toBe(200);
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
