import { currentContext } from '../src/common/request-context.js';
import { Database } from '../src/database/database.js';
import { User } from '../src/users/user.entity.js';
import { EXISTS, RESET, VERIFY } from './support/addresses.js';
import { hello, loginOf, member, newAddress, register } from './support/address-registrations.js';
import { bearer, codeOf, outcomeOf } from './support/http.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { siblings } from './support/servers.js';
import { GOOD_PASSWORD, type Server } from './support/server.js';

/** `IDENTIFIER` decides whether people sign in with a username, with their address, or with both. */
const ACCEPTED = { msg: 'A mail to this address is on its way; follow its link to go on' };
const OTHER_PASSWORD = 'another good passphrase';

const start = siblings();
const byAddress = (settings: Record<string, string> = {}) =>
  start({ IDENTIFIER: 'email', ...settings });

const countUsers = (server: Server) => server.withDatabase((db) => db.getRepository(User).count());

describe('by default', () => {
  it('a login takes the username and the address', async () => {
    const server = await start();
    const answer = await server.http
      .post('/register')
      .send({ username: 'ada', password: GOOD_PASSWORD, email: 'ada@example.org' });
    expect(answer.status).toBe(201);
    for (const login of ['ada', 'ada@example.org']) {
      expect(await hello(server, (await server.login(login)).jwt)).toEqual({ hello_from: 'ada' });
    }
    const missing = await register(server, newAddress());
    expect([missing.status, missing.body]).toEqual([
      400,
      { code: 'missing_parameter', msg: 'Missing username parameter' },
    ]);
  });
});

describe('with IDENTIFIER=username', () => {
  it('a login takes the username alone, and the address recovers the account', async () => {
    const server = await start({ IDENTIFIER: 'username' });
    const email = 'ada@example.org';
    await server.register('ada', GOOD_PASSWORD, email);
    expect(await loginOf(server, 'ada')).toBe(200);
    const known = await server.http
      .post('/login')
      .send({ username: email, password: GOOD_PASSWORD });
    const unknown = await server.http.post('/login').send({ username: 'bob', password: 'wrong' });
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    expect(known.body).toMatchObject({ code: 'bad_credentials' });
    await server.http.post('/password/forgot').send({ email }).expect(202);
    const { code } = await mailAbout(server, email, RESET);
    const body = { username: email, code, password: OTHER_PASSWORD };
    await server.http.post('/password/reset').send(body).expect(204);
    expect(await loginOf(server, 'ada', OTHER_PASSWORD)).toBe(200);
    // A name is still needed, and an address is not.
    expect(await codeOf(register(server, newAddress()))).toBe('missing_parameter');
    await server.register('bob');
  });
});

describe('with IDENTIFIER=email', () => {
  it('an account has no username: its address stands everywhere for it', async () => {
    const server = await byAddress();
    const email = 'Ada@example.org';
    const answer = await server.http.post('/register').send({
      email: ` ${email} `,
      password: GOOD_PASSWORD,
      displayName: 'Ada Lovelace',
      locale: 'en',
      username: 'ignored',
      roles: ['admin'],
    });
    expect([answer.status, answer.body]).toEqual([202, ACCEPTED]);
    const { code } = await mailAbout(server, email, VERIFY);
    await server.http.post('/email/verify').send({ username: email, code }).expect(204);
    const { jwt } = await server.login('ada@example.org');
    expect(await hello(server, jwt)).toEqual({ hello_from: email });
    const me = await server.get('/me', bearer(jwt));
    expect(me.body).toEqual({
      id: expect.any(String) as string,
      username: email,
      email,
      emailVerified: true,
      displayName: 'Ada Lovelace',
      locale: 'en',
      roles: [],
      createdAt: expect.any(String) as string,
    });
    const exported = await server.get('/me/export', bearer(jwt));
    expect(exported.body).toMatchObject({
      user: { username: email, email },
      names: [],
      events: expect.arrayContaining([
        expect.objectContaining({ action: 'registered', source: 'request', address: '127.0.0.1' }),
      ]) as unknown,
    });
  });

  it('the OpenAPI document shows the body and the answer of this mode', async () => {
    const [named, addressed] = [await start(), await byAddress()];
    const operation = async (server: Server) => {
      const answer = await server.http.get('/openapi.json').expect(200);
      const { paths, components } = answer.body as {
        paths: Record<string, { post: { responses: object } }>;
        components: { schemas: Record<string, { required: string[]; properties: object }> };
      };
      const { Registration, UserCreation } = components.schemas;
      return {
        statuses: Object.keys(paths['/register']?.post.responses ?? {}).filter((s) => s < '400'),
        required: Registration?.required,
        created: Object.keys(UserCreation?.properties ?? {}),
      };
    };
    expect(await operation(named)).toMatchObject({
      statuses: ['201'],
      required: ['username', 'password'],
      created: expect.arrayContaining(['username']) as unknown,
    });
    expect(await operation(addressed)).toEqual({
      statuses: ['202'],
      required: ['email', 'password'],
      created: ['email', 'displayName', 'locale', 'roles', 'verified'],
    });
  });

  it('a registration tells no taken address from a free one, by any answer', async () => {
    const server = await byAddress();
    const { email: taken } = await member(server);
    const free = newAddress();
    const bodies = [];
    for (const email of [taken, free]) {
      const answer = await register(server, email, OTHER_PASSWORD);
      const headers = { ...answer.headers, date: '', 'x-request-id': '' };
      bodies.push({ status: answer.status, body: answer.body as unknown, headers });
    }
    expect(bodies[0]).toEqual(bodies[1]);
    await emptied(server);
    // The password of the registration is no oracle either: it does not count before the mail is read.
    for (const email of [taken, free]) {
      expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
    }
    const told = await mailAbout(server, taken, EXISTS);
    expect(`${told.text}${told.html}`).not.toMatch(/token=/);
    const { token } = await mailAbout(server, free, VERIFY);
    await server.http.post('/email/verify').send({ token }).expect(204);
    expect(await loginOf(server, free, OTHER_PASSWORD)).toBe(200);
    expect(await loginOf(server, taken)).toBe(200);
  });

  it('a registration makes the same statements for a taken, a contested and a free address', async () => {
    const server = await byAddress();
    const { email: taken } = await member(server);
    const contested = newAddress();
    await register(server, contested).expect(202);
    await mailAbout(server, contested, VERIFY);
    const seen = new Map<string | null, string[]>();
    server.app.get(Database).observe(({ query }) => {
      const { requestId } = currentContext();
      // The time of day stands in it on SQLite.
      const statements = [...(seen.get(requestId) ?? []), query.replaceAll(/\d{13}/g, 'now')];
      seen.set(requestId, statements);
    });
    const all: string[][] = [];
    for (const email of [taken, contested, newAddress()]) {
      const answer = await register(server, email).expect(202);
      const statements = seen.get(answer.get('x-request-id') ?? null) ?? [];
      // The worker goes on after the answer.
      all.push(statements.slice(0, statements.indexOf('COMMIT')));
      await emptied(server);
    }
    expect(all[0]?.length).toBeGreaterThan(1);
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });

  it('a weak password and a wrong address are refused alike for both', async () => {
    const server = await byAddress();
    const { email: taken } = await member(server);
    const free = newAddress();
    for (const email of [taken, free]) {
      const weak = await register(server, email, 'password');
      expect([weak.status, weak.body]).toEqual([
        400,
        { code: 'weak_password', msg: expect.any(String) as string },
      ]);
      // The address stands for the name, which no password may repeat.
      expect(await codeOf(register(server, email, email))).toBe('weak_password');
    }
    for (const email of [undefined, null, '', ' ', 'ada', 7, {}, ['a@example.org']]) {
      expect((await outcomeOf(register(server, email)))[0]).toBe(400);
    }
    expect(await countUsers(server)).toBe(1);
  });

  it.each([
    ['a NUL', 'a\0b@example.org'],
    ['an emoji', '😀@example.org'],
    ['a lone surrogate', '\ud800@example.org'],
    ['a line break', 'a\r\nBcc: b@example.org@example.org'],
    ['two addresses', 'a@example.org,b@example.org'],
    ['a placeholder', '@3f2b9c1e-5d64-4a7e-9b0a-1c2d3e4f5a6b'],
    ['1,000 characters', `${'a'.repeat(1_000)}@example.org`],
  ])('an address with %s is refused or stays itself', async (_what, email) => {
    const server = await byAddress();
    const answer = await register(server, email);
    expect([202, 400]).toContain(answer.status);
    if (answer.status === 400) expect(answer.body).toMatchObject({ code: 'invalid_parameter' });
    else expect((await mailAbout(server, email, VERIFY)).to).toBe(email);
    expect(await loginOf(server, email)).toBe('bad_credentials');
  });

  it('a body of 10 MB is refused', async () => {
    const server = await byAddress();
    const answer = await register(server, newAddress(), 'x'.repeat(10_000_000));
    expect(answer.status).toBe(413);
  });

  it('the spellings of an address are one account, and its look-alikes are others', async () => {
    const server = await byAddress();
    const { email } = await member(server, 'paypal@example.org');
    for (const spelling of ['PayPal@EXAMPLE.org', 'PAYPAL@example.org ']) {
      await register(server, spelling).expect(202);
      expect(await loginOf(server, spelling)).toBe(200);
    }
    // The first letters are Cyrillic: another mailbox, so another account.
    const { email: other, jwt } = await member(server, 'раypal@example.org');
    expect(await hello(server, jwt)).toEqual({ hello_from: other });
    expect(other).not.toBe(email);
    expect(await countUsers(server)).toBe(2);
  });

  it('a username signs no one in', async () => {
    const first = await start();
    await first.register('ada', GOOD_PASSWORD, 'ada@example.org');
    const server = await byAddress();
    expect(await loginOf(server, 'ada')).toBe('bad_credentials');
    const { jwt } = await server.login('ada@example.org');
    // An account from before keeps its name, by which other services know it.
    expect(await hello(server, jwt)).toEqual({ hello_from: 'ada' });
  });

  it('a name cannot be set, neither by the user nor by an administrator', async () => {
    const server = await byAddress();
    const { jwt, email } = await member(server);
    const patched = await server
      .ask('patch', '/me', jwt)
      .send({ username: 'ada', displayName: 'A' });
    expect([patched.status, patched.body]).toEqual([
      400,
      {
        code: 'invalid_parameter',
        msg: 'Accounts have no username here: change the address by PUT /me/email',
      },
    ]);
    await server.ask('patch', '/me', jwt).send({ displayName: 'Ada' }).expect(200);
    expect((await server.get('/me', bearer(jwt))).body).toMatchObject({ username: email });
    // With usernames again, the account may get one.
    const later = await start();
    const named = await later.ask('patch', '/me', jwt).send({ username: 'ada' });
    expect([named.status, named.body]).toEqual([200, expect.objectContaining({ username: 'ada' })]);
    expect(await loginOf(later, 'ada')).toBe(200);
    expect(await loginOf(later, email)).toBe(200);
  });

  it('16 registrations of one address at once make one account', async () => {
    const server = await byAddress();
    const email = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        register(server, i % 2 ? email : email.toUpperCase(), `${GOOD_PASSWORD} ${i}`),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(202));
    await emptied(server);
    expect(await countUsers(server)).toBe(1);
    for (let i = 0; i < 16; i++) {
      expect(await loginOf(server, email, `${GOOD_PASSWORD} ${i}`)).toBe('bad_credentials');
    }
  });

  it('a mailbox gets three mails about registrations an hour, and every answer stays the same', async () => {
    const server = await byAddress({ RATE_LIMITS: 'on,register=100/1h', TRUST_PROXY: '1' });
    for (let i = 0; i < 6; i++) {
      const answer = await server.http
        .post('/register')
        .set('x-forwarded-for', `203.0.113.${i}`)
        .send({ email: `victim+${i}@example.org`, password: GOOD_PASSWORD });
      expect([answer.status, answer.body]).toEqual([202, ACCEPTED]);
    }
    await emptied(server);
    expect(await mailsOf(server)).toHaveLength(3);
    expect(await countUsers(server)).toBe(6);
  });

  it('needs no mail of its own for a user that an administrator made', async () => {
    const server = await byAddress();
    const admin = await member(server);
    await server.withDatabase((db) =>
      db.query(
        `INSERT INTO user_roles (user_id, role, position, created_at)
           SELECT id, 'admin', 0, created_at FROM users`,
      ),
    );
    const { jwt } = await server.login(admin.email);
    const email = newAddress();
    const create = (body: object) => server.ask('post', '/users', jwt).send(body);
    const made = await create({ email, username: 'ignored', verified: true });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ username: email, email, verified: true }),
    ]);
    expect(await codeOf(create({ email }))).toBe('email_taken');
    expect(await codeOf(create({}))).toBe('missing_parameter');
    const { token } = await mailAbout(server, email, RESET);
    await server.http.post('/password/reset').send({ token, password: GOOD_PASSWORD }).expect(204);
    expect(await loginOf(server, email)).toBe(200);
    const found = await server.get(`/users?q=${email.toUpperCase()}`, bearer(jwt));
    expect((found.body as { users: object[] }).users).toHaveLength(1);
  });
});
