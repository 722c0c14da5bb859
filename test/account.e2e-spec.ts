import { newUser } from './support/addresses.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';
import { codeOf } from './support/http.js';

const NEW_PASSWORD = 'another good passphrase';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe('PATCH /me', () => {
  it('changes name, display name and locale, and tells by mail', async () => {
    const user = await newUser(server);
    const answer = await server.ask('patch', '/me', user.jwt).send({
      displayName: '  Ada Lovelace 👩‍💻 ',
      locale: 'de-at',
      roles: ['admin'],
      emailVerified: true,
      id: 'x',
    });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        id: user.id,
        username: user.username,
        email: user.email,
        roles: [],
        createdAt: expect.any(String) as string,
        emailVerified: false,
        displayName: 'Ada Lovelace 👩‍💻',
        locale: 'de-AT',
      },
    ]);
    await mailAbout(server, user.email, 'Your account was changed');
    const emptied = await server
      .ask('patch', '/me', user.jwt)
      .send({ displayName: null, locale: null });
    expect(emptied.body).toMatchObject({ displayName: null, locale: null });
  });

  it('renames: living tokens say the old name no more, a refresh brings the new one', async () => {
    const user = await newUser(server);
    const other = await newUser(server);
    const renamed = `Renamed-${user.username}`;
    const taken = await server.ask('patch', '/me', user.jwt).send({
      username: other.username.toUpperCase(),
      displayName: 'not stored either',
    });
    expect([taken.status, taken.body]).toEqual([
      409,
      { msg: 'This username is taken', code: 'username_taken' },
    ]);
    const answer = await server.ask('patch', '/me', user.jwt).send({ username: renamed });
    expect(answer.body).toMatchObject({ username: renamed, displayName: null });
    expect(await codeOf(server.ask('get', '/protected', user.jwt))).toBe('token_stale');
    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: user.refresh_token });
    const hello = await server.ask('get', '/protected', (refreshed.body as { jwt: string }).jwt);
    expect(hello.body).toEqual({ hello_from: renamed });
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    await expect(server.login(renamed.toLowerCase())).resolves.toBeDefined();
  });

  it('lets one of two take a name that both ask for at once', async () => {
    const users = await Promise.all(Array.from({ length: 6 }, () => newUser(server)));
    const answers = await Promise.all(
      users.map(({ jwt }) =>
        codeOf(server.ask('patch', '/me', jwt).send({ username: 'contested' })),
      ),
    );
    expect(answers.sort()).toEqual([200, ...Array<string>(5).fill('username_taken')]);
  });

  it.each([
    {},
    { username: '' },
    { username: 'a b' },
    { displayName: '' },
    { displayName: 'two\nlines' },
    { displayName: 'a\u202eb' },
    { displayName: 'nul\0' },
    { displayName: 'x'.repeat(65) },
    { displayName: '\ud800' },
    { displayName: 7 },
    { locale: 'not a locale' },
    { locale: 'x'.repeat(200) },
  ])('refuses %j and changes nothing', async (body) => {
    const user = await newUser(server);
    expect((await server.ask('patch', '/me', user.jwt).send(body)).status).toBe(400);
    expect((await server.ask('get', '/me', user.jwt)).body).toMatchObject({
      username: user.username,
      displayName: null,
      locale: null,
    });
  });
});

describe('GET /me/export', () => {
  it('is everything that is stored, and no secret', async () => {
    const user = await newUser(server);
    await mailAbout(server, user.email, 'Confirm your e-mail address');
    const answer = await server.ask('get', '/me/export', user.jwt);
    expect(answer.headers['content-disposition']).toBe('attachment; filename="account.json"');
    expect(answer.body).toMatchObject({
      user: { id: user.id, username: user.username, email: user.email },
      sessions: [{ userId: user.id, userAgent: '', endedAt: null }],
      links: [{ purpose: 'verify-email', usedAt: null }],
      events: [
        { action: 'registered', ofThisUser: true, address: '127.0.0.1' },
        { action: 'login', ofThisUser: true, address: '127.0.0.1' },
      ],
    });
    await mailAbout(server, user.email, 'Your data was exported');
    const again = await server.ask('get', '/me/export', user.jwt);
    expect((again.body as { events: unknown[] }).events.at(-1)).toMatchObject({
      action: 'user_exported',
    });
    const rows = await server.withDatabase(async (db) => [
      ...(await db.query<Record<string, string>[]>('SELECT password_hash FROM users')),
      ...(await db.query<Record<string, string>[]>('SELECT salt FROM sessions')),
      ...(await db.query<Record<string, string>[]>(
        'SELECT token_hash, code_mac, guard FROM one_time_tokens',
      )),
    ]);
    const secrets = rows.flatMap((row) => Object.values(row)).filter(Boolean);
    expect(secrets.length).toBeGreaterThan(4);
    for (const secret of secrets) expect(answer.text).not.toContain(secret);
  });

  it('does not tell in whose words a ban that has ended was given', async () => {
    const user = await newUser(server);
    await server.withDatabase((db) =>
      db.query(
        `UPDATE users SET disabled_at = 1, disabled_until = 2, disabled_reason = 'a nuisance' ` +
          `WHERE id = '${user.id}'`,
      ),
    );
    const { text } = await server.ask('get', '/me/export', user.jwt).expect(200);
    expect(text).toContain('"disabledUntil"');
    expect(text).not.toMatch(/nuisance|disabledReason/);
  });
});

describe('GET /me/export of who registered with an address of somebody else', () => {
  it.each([false, true])('does not tell whether it is held (verified: %s)', async (verified) => {
    // No mail leaves, so that what waits to be sent is there to be seen.
    const cut = await startServer({
      SMTP_URL: 'smtp://127.0.0.1:1',
      MAIL_FROM: 'a@example.org',
    });
    try {
      const { id } = await cut.register('owner', GOOD_PASSWORD, 'held@example.org');
      if (verified) {
        await cut.withDatabase((db) =>
          db.query(`UPDATE users SET email_verified_at = 1 WHERE id = '${id}'`),
        );
      }
      const exports = [];
      for (const name of ['held', 'free']) {
        await cut.register(`asks-${name}`, GOOD_PASSWORD, `${name}@example.org`);
        const { jwt } = await cut.login(`asks-${name}`);
        const { text } = await cut.get('/me/export', `Bearer ${jwt}`).expect(200);
        exports.push(
          text.replaceAll(/"[0-9a-f-]{36}"|"\d{4}-[^"]+Z"/g, '"…"').replaceAll(name, 'name'),
        );
      }
      expect(exports[0]).toContain('verify-email');
      expect(exports[0]).toBe(exports[1]);
    } finally {
      await cut.stop();
    }
  });
});

describe('DELETE /me', () => {
  it('removes every row about the user, ends the tokens, and says farewell', async () => {
    const user = await newUser(server);
    const witness = await newUser(server);
    expect(
      await codeOf(server.ask('delete', '/me', user.jwt).send({ current_password: 'x' })),
    ).toBe('wrong_password');
    const answer = await server
      .ask('delete', '/me', user.jwt)
      .send({ current_password: GOOD_PASSWORD });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await codeOf(server.ask('get', '/protected', user.jwt))).toBe('token_revoked');
    expect(
      await codeOf(server.http.post('/refresh').send({ refresh_token: user.refresh_token })),
    ).toBe('refresh_token_invalid');
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    const left = await server.withDatabase(async (db) => {
      const counts: Record<string, number> = {};
      for (const { tableName, columns } of db.entityMetadatas) {
        const column = columns.find(({ databaseName }) => databaseName === 'user_id');
        const name = tableName === 'users' ? 'id' : column?.databaseName;
        if (!name || tableName === 'revocations') continue;
        const rows = await db.query<unknown[]>(
          `SELECT 1 FROM ${tableName} WHERE ${name} = '${user.id}'`,
        );
        counts[tableName] = rows.length;
      }
      return counts;
    });
    expect(left).toMatchObject({ users: 0, sessions: 0, one_time_tokens: 0, mail_outbox: 0 });
    expect(Object.values(left).every((count) => count === 0)).toBe(true);
    await mailAbout(server, user.email, 'Your account was deleted');
    expect(await codeOf(server.ask('get', '/me', witness.jwt))).toBe(200);
    // The name is free again, for somebody else.
    const next = await server.register(user.username);
    expect(next.id).not.toBe(user.id);
  });

  it('is done once by many at once, and never half', async () => {
    const user = await newUser(server);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => codeOf(server.ask('delete', '/me', user.jwt))),
    );
    expect(answers.filter((code) => code === 204)).toHaveLength(1);
    const mails = await mailsOf(server);
    expect(
      mails.filter(({ to, subject }) => to === user.email && subject.includes('deleted')).length,
    ).toBeLessThanOrEqual(1);
  });
});

describe('a step up', () => {
  const STEPS: [string, 'put' | 'delete', string, object][] = [
    ['a new password', 'put', '/me/password', { new_password: NEW_PASSWORD }],
    ['a new address', 'put', '/me/email', { email: 'elsewhere@example.org' }],
    ['deleting the account', 'delete', '/me', {}],
  ];

  it.each(STEPS)('is asked for before %s, and no refresh makes up for it', async (...step) => {
    const [, method, path, body] = step;
    const user = await newUser(server);
    const old = (jwt: string, age: number) => forge(jwt, { auth_time: now() - age });
    const answer = await server.ask(method, path, old(user.jwt, 901)).send(body);
    expect([answer.status, answer.body]).toEqual([
      401,
      {
        msg: 'Sign in again, or send your current password, to do this',
        code: 'reauthentication_required',
      },
    ]);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", ' +
        'error_description="A more recent or stronger sign-in is required", max_age="900"',
    );
    // The sign-in was a while ago, and the session was refreshed just now.
    await server.withDatabase((db) =>
      db.query(
        `UPDATE sessions SET authenticated_at = authenticated_at - 1000000 WHERE user_id = '${user.id}'`,
      ),
    );
    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: user.refresh_token });
    const { jwt } = refreshed.body as { jwt: string };
    expect(await codeOf(server.ask(method, path, jwt).send(body))).toBe(
      'reauthentication_required',
    );
    const wrong = { ...body, current_password: 'not it' };
    expect(await codeOf(server.ask(method, path, jwt).send(wrong))).toBe('wrong_password');
    const right = { ...body, current_password: GOOD_PASSWORD };
    expect(await codeOf(server.ask(method, path, jwt).send(right))).toBeLessThan(300);
  });

  it.each(STEPS)('is not asked for again before %s just after the sign-in', async (...step) => {
    const [, method, path, body] = step;
    const user = await newUser(server);
    expect(await codeOf(server.ask(method, path, user.jwt).send(body))).toBeLessThan(300);
  });

  it('limits guesses of the present password', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on' });
    try {
      await limited.register('ada');
      const { jwt } = await limited.login('ada');
      const statuses: number[] = [];
      for (let i = 0; i < 7; i++) {
        const { status } = await limited.http
          .put('/me/password')
          .set('authorization', `Bearer ${jwt}`)
          .send({ current_password: `guess ${i}`, new_password: NEW_PASSWORD });
        statuses.push(status);
      }
      expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
    } finally {
      await limited.stop();
    }
  });
});
