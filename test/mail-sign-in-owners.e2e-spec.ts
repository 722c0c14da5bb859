import { User } from '../src/users/user.entity.js';
import { asking } from './support/admins.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { mailAbout } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** A stranger may have made the account of an address, and may guess codes: what its owner has then. */
let server: Server;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on', TRUST_PROXY: '1' });
});
afterAll(() => server.stop());

const { newUser, ask, asked, count, verify } = mailSignIns(() => server);
const REMOVED = 'Your password was removed';
const enrol = (id: string) =>
  server.withDatabase((db) =>
    db.getRepository(User).update({ id }, { secondFactorSince: new Date() }),
  );

describe('an account that a stranger made with the address of another person', () => {
  it('belongs to the reader of the mailbox, without the password and sessions from before', async () => {
    const { id, username, email } = await newUser({ verified: false });
    const thief = await server.login(username);
    await server.http.post('/password/forgot').send({ email }).expect(202);
    const reset = await mailAbout(server, email, 'Set a new password');
    const { proof } = await asked(email);
    const signedIn = await verify(proof);
    expect(signedIn.status).toBe(200);
    const owner = asking(server, (signedIn.body as { jwt: string }).jwt);
    const me = await owner.ask('GET', '/me');
    expect(me.body).toMatchObject({ id, username, email, emailVerified: true });
    expect(await codeOf(server.get('/me', `Bearer ${thief.jwt}`))).toBe('token_revoked');
    const { refresh_token } = thief;
    expect(await codeOf(server.http.post('/refresh').send({ refresh_token }))).toBe(
      'session_ended',
    );
    await expect(server.login(username)).rejects.toThrow('bad_credentials');
    await expect(server.login(email)).rejects.toThrow('bad_credentials');
    // Neither do links from before work.
    const old = { token: reset.token, password: GOOD_PASSWORD };
    expect(await codeOf(server.http.post('/password/reset').send(old))).toBe('link_invalid');
    const sessions = (await owner.ask('GET', '/me/sessions')).body.sessions as object[];
    expect(sessions).toHaveLength(1);
    expect((await mailAbout(server, email, REMOVED)).text).toContain(username);
    const { events } = (await owner.ask('GET', '/me/export')).body as {
      events: { action: string; details: object }[];
    };
    const changes = events.filter(({ action }) => /^(email|password)_(?!reset)/.test(action));
    expect(changes).toEqual([
      expect.objectContaining({
        action: 'password_changed',
        details: { claimed: true, sessions: 1 },
      }),
      expect.objectContaining({ action: 'email_verified', details: {} }),
    ]);
    // From now on the account is the owner's, and a sign-in changes nothing.
    await owner.ask('PUT', '/me/password', { new_password: GOOD_PASSWORD });
    expect(await codeOf(verify((await asked(email)).proof))).toBe(200);
    await expect(server.login(username)).resolves.toBeDefined();
  });

  it('has no sign-in by mail if a second factor was enrolled, before the mail or after it', async () => {
    const [before, after] = [
      await newUser({ verified: false }),
      await newUser({ verified: false }),
    ];
    await enrol(before.id);
    const mails = await count();
    expect((await ask(before.email)).status).toBe(202);
    await emptied(server);
    expect(await count()).toBe(mails);
    const [first, second] = [await asked(after.email), await asked(after.email)];
    await enrol(after.id);
    expect(await codeOf(verify(first.proof))).toBe('code_invalid');
    const { challenge, token } = second;
    expect(await codeOf(verify({ challenge, token }))).toBe('link_invalid');
    const users = await server.withDatabase((db) =>
      db.getRepository(User).findBy([{ id: before.id }, { id: after.id }]),
    );
    expect(users.map(({ emailVerifiedAt }) => emailVerifiedAt)).toEqual([null, null]);
  });

  it('is taken over once by 16 at once, and keeps one session', async () => {
    const { id, username, email } = await newUser({ verified: false });
    await server.login(username);
    const mails = [await asked(email), await asked(email)] as const;
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) => codeOf(verify(mails[i % 2 ? 0 : 1].proof))),
    );
    expect(all.filter((one) => one === 200)).toHaveLength(1);
    const living = await server.withDatabase((db) =>
      db.query<object[]>(`SELECT id FROM sessions WHERE user_id = '${id}' AND ended_at IS NULL`),
    );
    expect(living).toHaveLength(1);
  });
});

it('needs no step before it where a sign-in requires a verified address', async () => {
  const strict = await startServer({ SIGN_IN_BY_MAIL: 'on', REQUIRE_VERIFIED_EMAIL: 'on' });
  try {
    const by = mailSignIns(() => strict);
    const { username, email } = await by.newUser({ verified: false });
    await expect(strict.login(username)).rejects.toThrow('email_not_verified');
    expect(await codeOf(by.verify((await by.asked(email)).proof))).toBe(200);
  } finally {
    await strict.stop();
  }
});

describe('guesses', () => {
  it('of an account are ten in 15 minutes over all challenges, and its owner goes on', async () => {
    const strict = await startServer({
      SIGN_IN_BY_MAIL: 'on',
      TRUST_PROXY: '1',
      RATE_LIMITS: 'on,mail=9/1h',
    });
    try {
      const by = mailSignIns(() => strict);
      const { username, email } = await by.newUser();
      const home = '198.51.100.7';
      const login = strict.http.post('/login').set('x-forwarded-for', home);
      expect((await login.send({ username, password: GOOD_PASSWORD })).status).toBe(200);
      for (const challengeNumber of [1, 2]) {
        const { proof } = await by.asked(email);
        const code = proof.code === '00000000' ? '00000001' : '00000000';
        for (let i = 0; i < 5; i++) {
          const from = `203.0.113.${challengeNumber}${i}`;
          expect(await codeOf(by.verify({ ...proof, code }, strict, from))).toBe('code_invalid');
        }
      }
      const { proof } = await by.asked(email);
      const refused = await by.verify(proof, strict, '203.0.113.99');
      expect([refused.status, refused.headers['ratelimit-policy']]).toEqual([
        429,
        expect.stringContaining('"mailCode";q=10;w=900'),
      ]);
      expect(await codeOf(by.verify(proof, strict, home))).toBe(200);
      // The link still works on a new device.
      const { challenge, token } = await by.asked(email);
      expect(await codeOf(by.verify({ challenge, token }, strict, '203.0.113.99'))).toBe(200);
    } finally {
      await strict.stop();
    }
  });

  it('cost a mail for five, of which a mailbox gets three an hour, and a client asks 60', async () => {
    const strict = await startServer({
      SIGN_IN_BY_MAIL: 'on',
      TRUST_PROXY: '1',
      RATE_LIMITS: 'on',
    });
    try {
      const request = (email: string, from: string) =>
        strict.http.post('/login/mail').set('x-forwarded-for', from).send({ email });
      for (let i = 0; i < 4; i++) {
        const { status, headers } = await request(`ada+${i}@example.org`, `203.0.113.${i}`);
        expect(status).toBe(i < 3 ? 202 : 429);
        if (i === 3) expect(headers['ratelimit-policy']).toBe('"mail";q=3;w=3600');
      }
      const all = [];
      for (let i = 0; i < 61; i++) {
        all.push((await request(`user${i}@example.org`, '198.51.100.1')).status);
      }
      expect(all).toEqual([...Array<number>(60).fill(202), 429]);
    } finally {
      await strict.stop();
    }
  });
});
