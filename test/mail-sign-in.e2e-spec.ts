import jwt from 'jsonwebtoken';
import { WaysIn } from '../src/auth/ways-in.js';
import { Database } from '../src/database/database.js';
import { MailChallenge } from '../src/mail-sign-in/mail-challenge.entity.js';
import { MailSignInModule } from '../src/mail-sign-in/mail-sign-in.module.js';
import { unusableHash } from '../src/passwords/stored-hash.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { User } from '../src/users/user.entity.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { emptied } from './support/outbox.js';
import { appCode, personWithApp } from './support/authenticator.js';
import { codeOf } from './support/http.js';
import { type Server, startServer } from './support/server.js';

const SETTINGS = { SIGN_IN_BY_MAIL: 'on' };
const PHONE =
  'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
const CHALLENGE_INVALID = {
  msg: 'This sign-in has expired or was completed; start again',
  code: 'challenge_invalid',
};

let server: Server;
/** Another instance, on the same database. */
let twin: Server;
const on = () => ({ DATABASE_URL: server.database.url, DATA_DIR: server.database.dataDir });
beforeAll(async () => {
  server = await startServer(SETTINGS);
  twin = await startServer({ ...SETTINGS, ...on() });
});
afterAll(async () => {
  await twin.stop();
  await server.stop();
});

const { newUser, ask, asked, count, verify } = mailSignIns(() => server);
const change = (id: string, values: Partial<User>) =>
  server.withDatabase((db) => db.getRepository(User).update({ id }, values));
const wrong = (code: string) => ((Number(code) + 1) % 100_000_000).toString().padStart(8, '0');
const claims = (token: string) => jwt.decode(token) as Record<string, unknown>;

describe('a sign-in by mail', () => {
  it('is asked for by an address, and done by the code of the mail', async () => {
    const { id, email } = await newUser();
    const answer = await ask(email).set('user-agent', PHONE);
    expect([answer.status, answer.body]).toEqual([
      202,
      { challenge: expect.stringMatching(/^[\w-]{43}$/) as string, expires_in: 600 },
    ]);
    const { challenge, code, text, html } = await asked(email, answer);
    for (const part of [text, html]) {
      expect(part).toContain('Chrome, Android, 127.0.0.1, ');
      expect(part).toContain('10 minutes');
    }
    const done = await verify({ challenge, code: `${code.slice(0, 4)} ${code.slice(4)}` });
    expect([done.status, done.body]).toEqual([
      200,
      {
        jwt: expect.any(String) as string,
        token_type: 'Bearer',
        expires_in: 900,
        refresh_token: expect.any(String) as string,
      },
    ]);
    const tokens = done.body as { jwt: string; refresh_token: string };
    expect(claims(tokens.jwt)).toMatchObject({ sub: id, amr: ['mail'], acr: 'urn:latchkey:aal1' });
    expect((await server.get('/me', `Bearer ${tokens.jwt}`)).body).toMatchObject({ email });
    expect(
      await codeOf(server.http.post('/refresh').send({ refresh_token: tokens.refresh_token })),
    ).toBe(200);
    const again = await verify({ challenge, code });
    expect([again.status, again.body]).toEqual([401, CHALLENGE_INVALID]);
    const rows = await server.withDatabase((db) =>
      db.query<{ details: string }[]>(
        `SELECT details FROM audit_events WHERE action = 'login' AND subject_id = '${id}'`,
      ),
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows[0]?.details)).toMatch(/amr.*mail/);
  });

  it('is done by the token of the link for the client that asked, and for no other', async () => {
    const { email } = await newUser();
    const [first, second] = [await asked(email), await asked(email)];
    const { challenge, token } = first;
    expect(await codeOf(verify({ challenge: second.challenge, token }))).toBe('link_invalid');
    expect(await codeOf(verify({ challenge: second.challenge, code: first.code }))).toBe(
      'code_invalid',
    );
    expect(await codeOf(verify({ challenge: 'A'.repeat(43), token }))).toBe('challenge_invalid');
    // A newer mail does not end the older one: a stranger may have asked for it.
    expect(await codeOf(verify({ challenge, token }))).toBe(200);
    expect(await codeOf(verify({ challenge, token }))).toBe('challenge_invalid');
    expect(await codeOf(verify({ challenge: second.challenge, code: second.code }))).toBe(200);
  });

  it.each(['code', 'token'] as const)('is done once by 16 at once with one %s', async (by) => {
    const { email } = await newUser();
    const { challenge, ...mail } = await asked(email);
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        codeOf(verify({ challenge, [by]: mail[by] }, i % 2 ? server : twin)),
      ),
    );
    expect(all.filter((one) => one === 200)).toEqual([200]);
    const refused = new Set(all.filter((one) => one !== 200));
    for (const known of ['challenge_invalid', `${by === 'code' ? by : 'link'}_invalid`]) {
      refused.delete(known);
    }
    expect([...refused].filter((one) => one !== 'too_many_requests')).toEqual([]);
  });

  it('ends after five wrong codes, though the sixth is right, and starts again', async () => {
    const { email } = await newUser();
    const { challenge, code, token } = await asked(email);
    for (let i = 0; i < 5; i++) {
      expect(await codeOf(verify({ challenge, code: wrong(code) }))).toBe('code_invalid');
    }
    const sixth = await verify({ challenge, code });
    expect([sixth.status, sixth.body]).toEqual([
      429,
      { msg: 'This sign-in was tried too often; start again', code: 'too_many_requests' },
    ]);
    expect(sixth.headers['retry-after']).toMatch(/^\d+$/);
    expect(await codeOf(verify({ challenge, token }))).toBe('too_many_requests');
    const next = await asked(email);
    expect(await codeOf(verify(next.proof))).toBe(200);
  });

  it('survives a restart, and is completed on another instance', async () => {
    const { email } = await newUser();
    const first = await startServer({ ...SETTINGS, ...on() });
    const answer = await ask(email, first);
    await first.app.close();
    const { proof } = await asked(email, answer);
    expect(await codeOf(verify({ ...proof, code: wrong(proof.code) }, twin))).toBe('code_invalid');
    expect(await codeOf(verify(proof, twin))).toBe(200);
    expect(await codeOf(verify(proof))).toBe('challenge_invalid');
  });

  it('expires, and its row is removed', async () => {
    const { email } = await newUser();
    const { challenge, code, token } = await asked(email);
    await server.withDatabase((db) =>
      db.getRepository(MailChallenge).updateAll({ expiresAt: new Date() }),
    );
    expect(await codeOf(verify({ challenge, code }))).toBe('challenge_invalid');
    expect(await codeOf(verify({ challenge, token }))).toBe('challenge_invalid');
    const page = await server.http.post('/account/sign-in').type('form').send({ token });
    expect([page.status, page.text.includes('This link is invalid')]).toEqual([400, true]);
    await server.app.get(MailSignInModule).clean();
    const left = await server.withDatabase((db) => db.getRepository(MailChallenge).count());
    expect(left).toBe(0);
  });

  it('is a first factor only: an enrolled second one is asked for, and the code is spent', async () => {
    const { id, email } = await newUser();
    await change(id, { secondFactorSince: new Date() });
    const { proof } = await asked(email);
    const answer = await verify(proof);
    expect([answer.status, answer.body]).toEqual([
      401,
      {
        msg: 'Prove a second factor to sign in',
        code: 'second_factor_required',
        challenge: expect.any(String) as string,
        methods: [],
        expires_in: 600,
      },
    ]);
    expect(await codeOf(verify(proof))).toBe('challenge_invalid');
    const sessions = await server.withDatabase((db) =>
      db.query<object[]>(`SELECT id FROM sessions WHERE user_id = '${id}'`),
    );
    expect(sessions).toEqual([]);
  });

  it('is completed by an authenticator app, and the session says both', async () => {
    const { id, app } = await personWithApp(server, 'appowner');
    const email = 'appowner@example.org';
    await change(id, { emailVerifiedAt: new Date() });
    const answer = await verify((await asked(email)).proof);
    const { challenge } = answer.body as { challenge: string };
    const body = { challenge, code: appCode(app.secret) };
    const done = await server.http.post('/login/second-factor').send(body);
    expect(done.status).toBe(200);
    expect(claims((done.body as { jwt: string }).jwt)).toMatchObject({
      sub: id,
      amr: ['mail', 'otp', 'mfa'],
      acr: 'urn:latchkey:aal2',
    });
  });

  it('is refused for a disabled user, and by a change of the password or the address', async () => {
    const users = [await newUser(), await newUser(), await newUser()] as const;
    const mails = [];
    for (const { email } of users) mails.push(await asked(email));
    const [disabled, changed, ended] = users;
    await change(disabled.id, { disabledAt: new Date() });
    await change(changed.id, { passwordHash: unusableHash() });
    // A ban ends all sessions and what would start one, for good.
    const changes = server.app.get(UserChangesService);
    await changes.disable(ended.id);
    await changes.enable(ended.id);
    const outcomes = [];
    for (const { proof } of mails) outcomes.push(await codeOf(verify(proof)));
    expect(outcomes).toEqual(['user_disabled', 'code_invalid', 'code_invalid']);
    const before = await count();
    expect((await ask(disabled.email)).status).toBe(202);
    await emptied(server);
    expect(await count()).toBe(before);
  });

  it('is a way in for a user with a verified address alone', async () => {
    const { id } = await newUser();
    const stored = () =>
      server.withDatabase((db) => db.getRepository(User).findOneByOrFail({ id }));
    const expectOne = (user: User) =>
      server.app
        .get(Database)
        .transaction((manager) => server.app.get(WaysIn).expectOne(manager, user));
    const user = { ...(await stored()), passwordHash: unusableHash() };
    await expect(expectOne(user)).resolves.toBeUndefined();
    await expect(expectOne({ ...user, emailVerifiedAt: null })).rejects.toThrow('last way');
  });
});

describe('the page of the link', () => {
  it('shows the code and the place that asked, signs in no browser, and uses nothing up', async () => {
    const { email } = await newUser();
    const { proof, token } = await asked(email, ask(email).set('user-agent', PHONE));
    const path = `/account/sign-in?token=${token}`;
    // Mail scanners follow links.
    for (const method of ['get', 'head', 'get'] as const) {
      const scanned = await server.http[method](path);
      const { status, headers } = scanned;
      expect([status, headers['set-cookie']]).toEqual([200, undefined]);
      expect(JSON.stringify([scanned.text])).not.toContain(proof.code);
    }
    for (const [language, device] of [
      ['en', 'Device'],
      ['de', 'Gerät'],
    ] as const) {
      const shown = await server.http
        .post('/account/sign-in')
        .set('accept-language', language)
        .type('form')
        .send({ token });
      expect([shown.status, shown.headers['set-cookie']]).toEqual([200, undefined]);
      expect(shown.text).toContain(`<dt>Code</dt><dd class="code">${proof.code}</dd>`);
      expect(shown.text).toContain(`<dt>${device}</dt><dd>Chrome, Android</dd>`);
      expect(shown.text).toContain('<dd>127.0.0.1</dd>');
      expect(shown.text).toMatch(/<dd><time datetime="[^"]+">[^<]+ UTC<\/time><\/dd>/);
      expect(shown.text).not.toMatch(/<form/);
    }
    expect(await codeOf(verify(proof))).toBe(200);
    const late = await server.http.post('/account/sign-in').type('form').send({ token });
    expect([late.status, late.text.includes('This link is invalid')]).toEqual([400, true]);
  });

  it('and the mail show no word that the client of a stranger chose', async () => {
    const { email } = await newUser();
    const spam = ask(email).set('user-agent', 'Win-money.example/1.0 (now) <b>');
    const { text, html, token } = await asked(email, spam);
    const page = await server.http.post('/account/sign-in').type('form').send({ token });
    for (const part of [text, html, page.text]) expect(part).not.toMatch(/money|<b>|Device/);
  });
});

describe('odd requests', () => {
  it.each([
    [{}, 'missing_parameter'],
    [{ email: 7 }, 'invalid_parameter'],
    [{ email: 'a\0b@example.org' }, 'invalid_parameter'],
    [{ email: 'no address' }, 'invalid_parameter'],
    [{ email: ['a@example.org'] }, 'invalid_parameter'],
    [{ email: '💩@example.org' }, 202],
  ])('for a mail: %j', async (body, outcome) => {
    expect(await codeOf(server.http.post('/login/mail').send(body))).toBe(outcome);
  });

  it('with a code are refused', async () => {
    const { email } = await newUser();
    const { challenge, token, proof } = await asked(email);
    const large = 'x'.repeat(10_000_000);
    const results = [];
    for (const body of [
      { challenge },
      { code: '12345678' },
      { ...proof, token },
      { challenge, code: 12_345_678 },
      { challenge: '\0', code: '💩' },
      { challenge, code: `${proof.code}\0` },
      { challenge, code: '٠١٢٣٤٥٦٧' },
      { challenge, code: large },
    ]) {
      results.push(await codeOf(verify(body)));
    }
    expect(results).toEqual([
      'missing_parameter',
      'missing_parameter',
      'invalid_parameter',
      'invalid_parameter',
      'challenge_invalid',
      'code_invalid',
      'code_invalid',
      'body_too_large',
    ]);
    expect(await codeOf(verify(proof))).toBe(200);
  });

  it('with a look-alike of an address send no mail, and mail goes where the owner said', async () => {
    const { email } = await newUser();
    const before = await count();
    const other = email.replace('a', '\u0430');
    expect((await ask(other)).status).toBe(202);
    await emptied(server);
    expect(await count()).toBe(before);
    const { to } = await asked(email, ask(email.toUpperCase()));
    expect(to).toBe(email);
  });

  it('find nothing if the setting is off', async () => {
    const off = await startServer();
    try {
      const body = { email: 'ada@example.org', challenge: 'x', code: 'y', username: 'x' };
      const answers = [
        off.http.post('/login/mail').send(body),
        off.http.post('/login/mail/verify').send(body),
        off.http.get('/login/mail'),
        off.http.get('/account/sign-in?token=abc'),
        off.http.post('/account/sign-in').type('form').send({ token: 'abc' }),
      ];
      for (const answer of answers) expect(await codeOf(answer)).toBe('not_found');
      const document = await off.http.get('/openapi.json');
      expect(Object.keys((document.body as { paths: object }).paths)).not.toContain('/login/mail');
    } finally {
      await off.stop();
    }
  });
});
