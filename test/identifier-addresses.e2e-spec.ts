import { User } from '../src/users/user.entity.js';
import { hello, loginOf, member, newAddress, register } from './support/address-registrations.js';
import { CHANGED, changeAddress, CONFIRM, me, move, tokenOf } from './support/addresses.js';
import { bearer, codeOf } from './support/http.js';
import { BCRYPT, imported, lines, LONG } from './support/imports.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

/** The name of an account without a username follows its address, and never stays behind with another account. */
let server: Server;
beforeAll(async () => {
  server = await startServer({ IDENTIFIER: 'email' });
});
afterAll(async () => {
  const users = await server.withDatabase((db) => db.getRepository(User).find());
  await server.stop();
  for (const { id, username, usernameKey, email, emailKey } of users) {
    const expected = emailKey === null ? [`@${id}`, `@${id}`] : [email, emailKey];
    expect([username, usernameKey]).toEqual(expected);
  }
});

const LOST = 'An account has lost this address';

const refresh = async (token: string) => {
  const answer = await server.http.post('/refresh').send({ refresh_token: token }).expect(200);
  return answer.body as { jwt: string; refresh_token: string };
};

/** Imports a user with an address that was never verified, and signs in. */
async function unverified(email = newAddress()) {
  const { counts } = await imported(server, lines({ email, passwordHash: BCRYPT }), 'jsonl', {
    env: { IDENTIFIER: 'email' },
  });
  expect(counts).toMatchObject({ imported: 1 });
  return { email, ...(await server.login(email)) };
}

describe('a change of the address', () => {
  it('is one of the name: tokens from before are stale, and a refresh brings the new name', async () => {
    const { email, jwt, refresh_token } = await member(server);
    const next = newAddress();
    await move(server, jwt, next);
    expect(await hello(server, jwt)).toBe('token_stale');
    const renewed = await refresh(refresh_token);
    expect(await hello(server, renewed.jwt)).toEqual({ hello_from: next });
    expect(await me(server, renewed.jwt)).toMatchObject({ username: next, email: next });
    expect(await loginOf(server, email)).toBe('bad_credentials');
    expect(await loginOf(server, next)).toBe(200);
    // The mail to the old address names the account by that address.
    expect((await mailAbout(server, email, CHANGED)).text).toContain(email);
    // The old address is free for another person.
    const other = await member(server, email);
    expect(await hello(server, other.jwt)).toEqual({ hello_from: email });
  });

  it('is taken back with the name', async () => {
    const { email, jwt } = await member(server);
    const next = newAddress();
    await move(server, jwt, next);
    const token = await tokenOf(server, email, CHANGED);
    await server.http.post('/email/undo').send({ token }).expect(204);
    const { token: reset } = await mailAbout(server, email, 'Set a new password');
    const body = { token: reset, password: GOOD_PASSWORD };
    await server.http.post('/password/reset').send(body).expect(204);
    expect(await hello(server, (await server.login(email)).jwt)).toEqual({ hello_from: email });
    expect(await loginOf(server, next)).toBe('bad_credentials');
  });

  it('to an address that eight accounts want at once succeeds for one of them', async () => {
    const wanted = newAddress();
    const accounts = await Promise.all(Array.from({ length: 8 }, () => member(server)));
    for (const { jwt } of accounts) {
      await changeAddress(server, jwt, wanted).expect(202);
      await emptied(server);
    }
    const mails = (await mailsOf(server)).filter(
      ({ to, subject }) => to === wanted && subject === CONFIRM,
    );
    const answers = await Promise.all(
      mails.map(({ token }) => codeOf(server.http.post('/email/confirm').send({ token }))),
    );
    expect(answers.sort()).toEqual([204, ...Array<string>(7).fill('link_invalid')]);
    expect(await loginOf(server, wanted)).toBe(200);
  });
});

describe('an account that loses an address it never verified', () => {
  it(
    'loses the name with it, in its living tokens too, and may get another address',
    async () => {
      const stranger = await unverified();
      const owner = await member(server);
      await move(server, owner.jwt, stranger.email);
      expect(await hello(server, stranger.jwt)).toBe('token_stale');
      const renewed = await refresh(stranger.refresh_token);
      const { id } = await me(server, renewed.jwt);
      expect(await hello(server, renewed.jwt)).toEqual({ hello_from: `@${String(id)}` });
      expect(await loginOf(server, `@${String(id)}`)).toBe('bad_credentials');
      const told = await mailAbout(server, stranger.email, LOST);
      expect(`${told.text}${told.html}`).not.toMatch(/username|token=/);
      const next = newAddress();
      await move(server, renewed.jwt, next);
      expect(await hello(server, (await server.login(next)).jwt)).toEqual({ hello_from: next });
    },
    LONG,
  );

  it(
    'loses it to an import of a verified user as well, and a registration loses it at once',
    async () => {
      const stranger = await unverified();
      const pending = newAddress();
      await register(server, pending).expect(202);
      const link = await mailAbout(server, pending, 'Confirm your e-mail address');
      const verified = { passwordHash: BCRYPT, emailVerifiedAt: '2020-01-01T00:00:00Z' };
      const file = lines({ email: stranger.email, ...verified }, { email: pending, ...verified });
      const { counts } = await imported(server, file, 'jsonl', { env: { IDENTIFIER: 'email' } });
      expect(counts).toEqual({ imported: 2, partial: 0, unchanged: 0, refused: 0 });
      for (const email of [stranger.email, pending]) {
        const { jwt } = await server.login(email);
        expect(await me(server, jwt)).toMatchObject({ username: email, emailVerified: true });
      }
      // The server learns of another program's changes within a second.
      await until(
        async () => (await hello(server, stranger.jwt)) === 'token_stale',
        'a stale token',
      );
      const { token } = link;
      expect(await codeOf(server.http.post('/email/verify').send({ token }))).toBe('link_invalid');
    },
    LONG,
  );

  it(
    'gets it back if an administrator says that it is verified',
    async () => {
      const admin = await member(server);
      await server.withDatabase((db) =>
        db.query(
          `INSERT INTO user_roles (user_id, role, position, created_at)
           SELECT id, 'admin', 0, created_at FROM users WHERE username = '${admin.email}'`,
        ),
      );
      const { jwt } = await server.login(admin.email);
      const stranger = await unverified();
      const second = await unverified();
      const patch = (id: unknown) =>
        server.ask('patch', `/users/${String(id)}`, jwt).send({ verified: true });
      const owner = await member(server);
      await move(server, owner.jwt, stranger.email);
      const { id } = await me(server, (await refresh(stranger.refresh_token)).jwt);
      expect(await codeOf(patch(id))).toBe('email_taken');
      const marked = await patch((await me(server, second.jwt)).id);
      expect(marked.body).toMatchObject({ username: second.email, verified: true });
      expect(await server.get('/me', bearer(second.jwt)).expect(200)).toBeDefined();
    },
    LONG,
  );
});
