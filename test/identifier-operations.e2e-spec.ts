import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { hello, loginOf, newAddress } from './support/address-registrations.js';
import { RESET } from './support/addresses.js';
import { codeOf } from './support/http.js';
import { BCRYPT, imported, lines, LONG } from './support/imports.js';
import { freshMachine } from './support/instances.js';
import { mailAbout } from './support/mailbox.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, SECRET, type Server, startServer } from './support/server.js';

/** What operators do with accounts that have no username. */
const env = { IDENTIFIER: 'email' };
let server: Server;
beforeAll(async () => {
  server = await startServer({ ...env, SIGN_IN_BY_MAIL: 'on' });
});
afterAll(() => server.stop());

const byMail = mailSignIns(() => server);

it(
  'an import takes users without a name, and leaves names out',
  async () => {
    const [first, second, third] = [newAddress(), newAddress(), newAddress()];
    const file = lines(
      { email: first, passwordHash: BCRYPT },
      { username: 'ada', email: second, passwordHash: BCRYPT },
      { username: third, passwordHash: BCRYPT },
      { username: 'nobody', passwordHash: BCRYPT },
      { username: 'b@', email: 'not an address' },
      { email: first.toUpperCase(), passwordHash: BCRYPT },
    );
    const result = await imported(server, file, 'jsonl', { env });
    expect(result).toMatchObject({
      code: 4,
      counts: { imported: 3, partial: 1, unchanged: 0, refused: 3 },
      refused: [
        '4: There is no email, and a username is not enough: accounts have none with IDENTIFIER=email',
        expect.stringMatching(/^5: /) as string,
        '6: The user is already in the file, on an earlier line',
      ],
      notes: ['2: The username is left out: accounts have none with IDENTIFIER=email'],
    });
    for (const email of [first, second, third]) {
      const { jwt } = await server.login(email);
      expect(await hello(server, jwt)).toEqual({ hello_from: email });
    }
    const again = await imported(server, file, 'jsonl', { env });
    expect(again.counts).toEqual({ imported: 0, partial: 0, unchanged: 4, refused: 2 });
    // An export is imported again, and a server with usernames derives them.
    const { stdout } = await latchkey(server, ['users', 'export', '--with-password-hashes'], {
      env,
    });
    const other = await startServer(env);
    try {
      const copied = await imported(other, stdout, 'jsonl', { env });
      expect(copied).toMatchObject({ code: 0, counts: { imported: 3, refused: 0 }, notes: [] });
      expect(await loginOf(other, first)).toBe(200);
    } finally {
      await other.stop();
    }
  },
  LONG,
);

it(
  'a user who was imported without a password signs in by mail, and sets the first one',
  async () => {
    const email = newAddress();
    await imported(server, lines({ email, verified: true }), 'jsonl', { env });
    expect(await loginOf(server, email)).toBe('bad_credentials');
    const { proof } = await byMail.asked(email);
    const signedIn = await server.http.post('/login/mail/verify').send(proof).expect(200);
    const { jwt } = signedIn.body as { jwt: string };
    const change = server.ask('put', '/me/password', jwt);
    await change.send({ new_password: GOOD_PASSWORD }).expect(204);
    expect(await loginOf(server, email)).toBe(200);
  },
  LONG,
);

it(
  'the command line makes and finds users by the address',
  async () => {
    const email = newAddress();
    const create = (...args: string[]) =>
      latchkey(server, ['users', 'create', ...args], { env, input: GOOD_PASSWORD });
    const made = await create(email, '--role', 'admin', '--verified', '--json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(made.stdout)).toMatchObject({ username: email, email, roles: ['admin'] });
    expect(await loginOf(server, email)).toBe(200);
    expect(await create(email)).toMatchObject({
      code: 1,
      stderr: 'This e-mail address is taken\n',
    });
    expect(await create('ada')).toMatchObject({
      code: 1,
      stderr: 'The email is not an e-mail address\n',
    });
    expect(await create(newAddress(), '--email', newAddress())).toMatchObject({
      code: 1,
      stderr: '--email is not the address of the first argument\n',
    });
    const shown = await latchkey(server, ['users', 'show', email, '--json'], { env });
    expect(JSON.parse(shown.stdout)).toMatchObject({ username: email });
  },
  LONG,
);

it(
  'the first administrator has the address in BOOTSTRAP_ADMIN',
  async () => {
    const machine = await freshMachine();
    try {
      const settings = { DATABASE_URL: machine.database.url, JWT_SECRET_KEY: SECRET, ...env };
      const email = 'root@example.org';
      const refused = await machine.start({ ...settings, BOOTSTRAP_ADMIN: 'root' }).exit;
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('BOOTSTRAP_ADMIN: The email is not an e-mail address');
      const strict = { ...settings, BOOTSTRAP_ADMIN: email, REQUIRE_VERIFIED_EMAIL: 'on' };
      const url = await machine.start(strict).listening;
      const text = await readFile(join(machine.cwd, 'data', 'bootstrap-admin'), 'utf8');
      const [, password] = /^Username: root@example\.org\nPassword: (\S+)\n$/.exec(text) ?? [];
      const login = request(url).post('/login').send({ username: email, password });
      expect(await codeOf(login)).toBe(200);
    } finally {
      await machine.end();
    }
  },
  LONG,
);

it(
  'the doctor counts the users who cannot sign in by the setting',
  async () => {
    const mixed = await startServer();
    try {
      await mixed.register('named');
      await mixed.register('both', GOOD_PASSWORD, 'both@example.org');
      await imported(mixed, lines({ email: 'bare@example.org', passwordHash: BCRYPT }), 'jsonl', {
        env,
      });
      const findings = async (identifier: string) => {
        const { stdout } = await latchkey(mixed, ['doctor', '--json'], {
          env: { IDENTIFIER: identifier },
        });
        const all = JSON.parse(stdout) as { check: string; status: string; message: string }[];
        return all.filter(({ check }) => check === 'identifier');
      };
      expect(await findings('both')).toEqual([]);
      expect(await findings('email')).toEqual([
        expect.objectContaining({
          status: 'warn',
          message: 'users without an e-mail address: 1. With IDENTIFIER=email they cannot sign in',
        }),
      ]);
      expect(await findings('username')).toEqual([
        expect.objectContaining({
          status: 'warn',
          message: 'users without a username: 1. With IDENTIFIER=username they cannot sign in',
        }),
      ]);
    } finally {
      await mixed.stop();
    }
  },
  LONG,
);

it('a forgotten password works for a user who registered and never followed the link', async () => {
  const email = newAddress();
  await server.http.post('/register').send({ email, password: GOOD_PASSWORD }).expect(202);
  await mailAbout(server, email, 'Confirm your e-mail address');
  await server.http.post('/password/forgot').send({ email }).expect(202);
  const { token } = await mailAbout(server, email, RESET);
  const body = { token, password: 'another good passphrase' };
  await server.http.post('/password/reset').send(body).expect(204);
  expect(await loginOf(server, email, 'another good passphrase')).toBe(200);
});

it('a sign-in by mail finishes a registration without its password, and tells so', async () => {
  const email = newAddress();
  await server.http.post('/register').send({ email, password: GOOD_PASSWORD }).expect(202);
  await mailAbout(server, email, 'Confirm your e-mail address');
  const { proof } = await byMail.asked(email);
  const signedIn = await server.http.post('/login/mail/verify').send(proof).expect(200);
  const { jwt } = signedIn.body as { jwt: string };
  expect(await hello(server, jwt)).toEqual({ hello_from: email });
  await mailAbout(server, email, 'Your password was removed');
  expect(await loginOf(server, email)).toBe('bad_credentials');
});
