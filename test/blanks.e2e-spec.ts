import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsersService } from '../src/users/users.service.js';
import { person } from './support/admins.js';
import { mailAbout } from './support/mailbox.js';
import { until } from './support/wait.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** Keyboards of phones put a blank after a word that they complete; pasted text brings others. */
const around = (text: string) => `\u00A0 ${text}\t\n`;
const LONG = 300_000;

let server: Server;
beforeAll(async () => {
  server = await startServer({ BOOTSTRAP_ADMIN: ' root ' });
});
afterAll(() => server.stop());

describe('blanks around a name or an address are taken off', () => {
  it('at registration and login', async () => {
    const email = 'ada@example.org';
    const body = { username: around('ada'), email: around(email), password: GOOD_PASSWORD };
    const registered = await server.post('/register', body);
    expect(registered.status).toBe(201);
    expect(registered.body).toMatchObject({ username: 'ada', email });
    for (const username of ['ada', around('ada'), around('ADA'), around(email)]) {
      const { status } = await server.post('/login', { username, password: GOOD_PASSWORD });
      expect([username, status]).toEqual([username, 200]);
    }
    const taken = await server.post('/register', { username: 'ada ', password: GOOD_PASSWORD });
    expect([taken.status, taken.body]).toEqual([
      409,
      { msg: 'This username is taken', code: 'username_taken' },
    ]);
  });

  it('but not around a password', async () => {
    await server.register('spaced', ` ${GOOD_PASSWORD} `);
    for (const password of [GOOD_PASSWORD, `${GOOD_PASSWORD} `]) {
      const { status } = await server.post('/login', { username: 'spaced', password });
      expect(status).toBe(401);
    }
    await server.login('spaced', ` ${GOOD_PASSWORD} `);
  });

  it.each(['/login', '/register'])('at %s a text of blanks alone is missing', async (path) => {
    const answer = await server.post(path, { username: around(''), password: GOOD_PASSWORD });
    expect([answer.status, answer.body]).toEqual([
      400,
      { msg: 'Missing username parameter', code: 'missing_parameter' },
    ]);
  });

  it('at a forgotten password, and with the code of its mail', async () => {
    const email = 'forgetful@example.org';
    await server.register('forgetful', GOOD_PASSWORD, email);
    await server.post('/password/forgot', { email: around(email) }).expect(202);
    const { text } = await mailAbout(server, email, 'Set a new password');
    const code = /\b\d{8}\b/.exec(text)?.[0];
    const password = 'another good passphrase';
    await server
      .post('/password/reset', { username: around('forgetful'), code, password })
      .expect(204);
    await server.login('forgetful', password);
  });

  it('at a new name and a new address', async () => {
    const user = await person(server, 'mover', [], 'mover@example.org');
    const changed = await user.ask('PATCH', '/me', { username: around('Moved') });
    expect(changed).toMatchObject({ status: 200, body: { username: 'Moved' } });
    const { jwt } = await server.login('moved');
    const asked = server.http.put('/me/email').set('authorization', `Bearer ${jwt}`);
    await asked.send({ email: around('moved@example.org') }).expect(202);
    await mailAbout(server, 'moved@example.org', 'Confirm your new e-mail address');
  });

  it('where an administrator makes or looks for users', async () => {
    const boss = await person(server, 'boss', ['admin']);
    const made = await boss.ask('POST', '/users', {
      username: around('made'),
      email: around('made@example.org'),
    });
    expect(made).toMatchObject({
      status: 201,
      body: { username: 'made', email: 'made@example.org' },
    });
    for (const q of [around('made'), around('made@ex')]) {
      const found = await boss.ask('GET', `/users?q=${encodeURIComponent(q)}`);
      expect(found.body).toMatchObject({ users: [{ username: 'made' }] });
    }
  });

  it('at BOOTSTRAP_ADMIN', async () => {
    const root = await until(
      () => server.app.get(UsersService, { strict: false }).findByLogin('root'),
      'the first administrator',
    );
    expect(root).toMatchObject({ username: 'root', roles: ['admin'] });
  });

  it(
    'on the command line and in an import',
    async () => {
      const args = ['users', 'create', around('typed'), '--email', around('t@example.org')];
      const created = await latchkey(server, [...args, '--no-password', '--json']);
      expect(JSON.parse(created.stdout)).toMatchObject({
        username: 'typed',
        email: 't@example.org',
      });
      const file = join(server.database.dataDir, 'blanks.jsonl');
      const record = { username: around('imported'), email: around('i@example.org') };
      await writeFile(file, `${JSON.stringify(record)}\n`);
      expect((await latchkey(server, ['users', 'import', file])).code).toBe(0);
      const shown = await latchkey(server, ['users', 'show', around('imported'), '--json']);
      expect(JSON.parse(shown.stdout)).toMatchObject({
        username: 'imported',
        email: 'i@example.org',
      });
    },
    LONG,
  );
});
