import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { FailedLogins } from '../src/audit/failed-logins.js';
import { SignInChallenge } from '../src/factors/sign-in-challenge.entity.js';
import { asking } from './support/admins.js';
import { appCode, personWithApp, unused, wrongCode } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { bearer, codeOf } from './support/http.js';
import { times } from './support/limits.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const TEXT = expect.any(String) as string;
const WRONG = {
  msg: 'This code is wrong or was used before; wait for the next one',
  code: 'code_invalid',
};
const ENDED = {
  msg: 'This sign-in has expired or was completed; start again',
  code: 'challenge_invalid',
};

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const begin = (username: string, on = server) => challengeOf(on, username);
const answer = async (body: object, on = server) => {
  const response = await on.http.post('/login/second-factor').send(body);
  return { status: response.status, body: response.body as Record<string, unknown> };
};
const amrOf = (details: string | null) => (JSON.parse(details ?? '{}') as { amr?: string }).amr;
const claimsOf = (token: unknown) => jwt.decode(String(token)) as Record<string, unknown>;

describe('signing in with a second factor', () => {
  it('takes a password, then a code, and says so in tokens, sessions and audit', async () => {
    const { id, app } = await personWithApp(server, 'Ada');
    const login = await server.http
      .post('/login')
      .send({ username: 'Ada', password: GOOD_PASSWORD });
    expect([login.status, login.body]).toEqual([
      401,
      {
        msg: 'Prove a second factor to sign in',
        code: 'second_factor_required',
        challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
        methods: ['totp', 'recovery_code'],
        expires_in: 600,
      },
    ]);
    const { challenge } = login.body as { challenge: string };
    const began = Math.floor(Date.now() / 1000);
    const { status, body } = await answer({ challenge, code: appCode(app.secret) });
    expect([status, body]).toEqual([
      200,
      { jwt: TEXT, token_type: 'Bearer', expires_in: 900, refresh_token: TEXT },
    ]);
    const assurance = { amr: ['pwd', 'otp', 'mfa'], acr: 'urn:latchkey:aal2' };
    const claims = claimsOf(body.jwt);
    expect(claims).toMatchObject({ sub: id, username: 'Ada', ...assurance });
    expect(Number(claims.auth_time) - began).toBeGreaterThanOrEqual(0);
    expect(Number(claims.auth_time) - began).toBeLessThan(60);

    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: body.refresh_token })
      .expect(200);
    const { auth_time } = claims;
    const fresh = (refreshed.body as { jwt: string }).jwt;
    expect(claimsOf(fresh)).toMatchObject({ ...assurance, auth_time });
    const sessions = await server.get('/me/sessions', bearer(fresh));
    expect(sessions.body).toMatchObject({
      sessions: [{ current: true, ...assurance }, { current: false }],
    });
    const factors = await server.get('/me/factors', bearer(fresh));
    expect(factors.body).toMatchObject({ factors: [{ kind: 'totp', last_used_at: TEXT }] });
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).find({ where: { subjectId: id, action: 'login' } }),
    );
    expect(rows.map(({ details }) => amrOf(details))).toEqual(
      expect.arrayContaining(['pwd', 'pwd otp mfa']),
    );
  });

  it('notes a wrong code in the audit, and takes the next right one', async () => {
    const { id, app } = await personWithApp(server, 'Slip');
    const challenge = await begin('Slip');
    expect(await answer({ challenge, code: wrongCode(app.secret) })).toEqual({
      status: 400,
      body: WRONG,
    });
    expect((await answer({ challenge, code: appCode(app.secret) })).status).toBe(200);
    await server.app.get(FailedLogins, { strict: false }).write(true);
    const [row] = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).find({ where: { subjectId: id, action: 'login_failed' } }),
    );
    expect(JSON.parse(row?.details ?? '')).toEqual({ reason: 'code_invalid' });
  });

  it('asks for no code after a wrong password', async () => {
    await personWithApp(server, 'Guarded');
    const login = (password: string) =>
      server.http.post('/login').send({ username: 'Guarded', password });
    expect((await login('wrong password')).body).toEqual({
      msg: 'Bad username or password',
      code: 'bad_credentials',
    });
    expect((await login(GOOD_PASSWORD)).body).toMatchObject({ code: 'second_factor_required' });
  });
});

describe('a code', () => {
  it('is refused after a success, also in another sign-in and for a step-up', async () => {
    const { app, outcome } = await personWithApp(server, 'Replay');
    const code = appCode(app.secret);
    const challenge = await begin('Replay');
    expect((await answer({ challenge, code })).status).toBe(200);
    expect(await answer({ challenge, code })).toEqual({ status: 401, body: ENDED });
    expect(await answer({ challenge: await begin('Replay'), code })).toEqual({
      status: 400,
      body: WRONG,
    });
    expect(await outcome('POST', '/me/step-up', { code })).toBe('code_invalid');
  });

  it('of an earlier step is refused after one of a later step', async () => {
    const { app } = await personWithApp(server, 'Earlier');
    const [before, now, next] = [-1, 0, 1].map((steps) => appCode(app.secret, steps));
    expect((await answer({ challenge: await begin('Earlier'), code: next })).status).toBe(200);
    for (const code of [before, now, next]) {
      const { body } = await answer({ challenge: await begin('Earlier'), code });
      expect(body).toEqual(WRONG);
    }
  });

  it('is good once, of 16 answers at once to one challenge', async () => {
    const { app } = await personWithApp(server, 'Sixteen');
    const challenge = await begin('Sixteen');
    const code = appCode(app.secret);
    const answers = await times(16, () => codeOf(answer({ challenge, code })));
    expect(answers.filter((one) => one === 200)).toHaveLength(1);
    for (const one of answers) {
      expect([200, 'challenge_invalid', 'too_many_requests']).toContain(one);
    }
  });
});

describe('a challenge', () => {
  it('ends after five wrong answers, whatever comes sixth', async () => {
    const { app } = await personWithApp(server, 'Five');
    const challenge = await begin('Five');
    for (let tries = 0; tries < 5; tries++) {
      const { body } = await answer({ challenge, code: wrongCode(app.secret) });
      expect([tries, body]).toEqual([tries, WRONG]);
    }
    const sixth = await server.http
      .post('/login/second-factor')
      .send({ challenge, code: appCode(app.secret) });
    expect([sixth.status, sixth.body]).toEqual([
      429,
      { msg: 'This sign-in was tried too often; start again', code: 'too_many_requests' },
    ]);
    expect(Number(sixth.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(sixth.headers['retry-after'])).toBeLessThanOrEqual(600);
    // The owner starts again.
    const { status } = await answer({ challenge: await begin('Five'), code: appCode(app.secret) });
    expect(status).toBe(200);
  });

  it('counts answers before it judges them, of 16 wrong ones at once', async () => {
    const { app } = await personWithApp(server, 'Flood');
    const challenge = await begin('Flood');
    const code = wrongCode(app.secret);
    const answers = await times(16, () => codeOf(answer({ challenge, code })));
    expect(answers.filter((one) => one === 'code_invalid')).toHaveLength(5);
    expect(answers.filter((one) => one === 'too_many_requests')).toHaveLength(11);
  });

  it('of one account is not answered by the factor of another', async () => {
    const [ada, eve] = [await personWithApp(server, 'Hers'), await personWithApp(server, 'Eve')];
    const challenge = await begin('Hers');
    for (const proof of [
      { code: appCode(eve.app.secret) },
      { recovery_code: eve.app.recoveryCodes[0] },
    ]) {
      expect(await codeOf(answer({ challenge, ...proof }))).toBe('code_invalid');
    }
    const { body } = await answer({ challenge, code: appCode(ada.app.secret) });
    expect(claimsOf(body.jwt).sub).toBe(ada.id);
  });

  it.each<
    [string, (challenge: string, user: Awaited<ReturnType<typeof personWithApp>>) => unknown]
  >([
    [
      'expires',
      (_challenge, { id: userId }) =>
        server.withDatabase((db) =>
          db
            .getRepository(SignInChallenge)
            .update({ userId }, { expiresAt: new Date(Date.now() - 1) }),
        ),
    ],
    [
      'ends with a change of the password',
      (_challenge, { ask }) =>
        ask('PUT', '/me/password', {
          current_password: GOOD_PASSWORD,
          new_password: 'another good passphrase',
        }),
    ],
    ['ends when all sessions end', (_challenge, { ask }) => ask('POST', '/logout?scope=global')],
    ['ends with the account', (_challenge, { ask }) => ask('DELETE', '/me')],
  ])('%s', async (what, change) => {
    const name = what.replaceAll(' ', '.');
    const user = await personWithApp(server, name);
    const challenge = await begin(name);
    await change(challenge, user);
    expect(await answer({ challenge, code: appCode(user.app.secret) })).toEqual({
      status: 401,
      body: ENDED,
    });
  });

  it('of a user that was disabled meanwhile gives no session', async () => {
    const { app, id } = await personWithApp(server, 'Banned');
    const challenge = await begin('Banned');
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET disabled_at = 1 WHERE id = '${id}'`),
    );
    expect(await codeOf(answer({ challenge, code: appCode(app.secret) }))).toBe('user_disabled');
  });

  it('survives a restart, and is answered on another instance once', async () => {
    const { app } = await personWithApp(server, 'Moving');
    const challenge = await begin('Moving');
    const other = await startServer({ DATABASE_URL: server.database.url });
    try {
      const proof = { challenge, code: appCode(app.secret) };
      expect((await answer(proof, other)).status).toBe(200);
      expect(await answer(proof)).toEqual({ status: 401, body: ENDED });
      // Neither does a server that has just started know a used code.
      const again = { challenge: await begin('Moving', other), code: proof.code };
      expect((await answer(again, other)).body).toEqual(WRONG);
    } finally {
      await other.stop();
    }
  });

  it('opens nothing else', async () => {
    const { app } = await personWithApp(server, 'Nothing');
    const challenge = await begin('Nothing');
    for (const path of ['/me', '/protected', '/me/factors']) {
      const response = await server.get(path, bearer(challenge));
      expect([path, response.status, response.body]).toEqual([
        path,
        401,
        { msg: 'The token is not a well-formed JSON Web Token', code: 'token_malformed' },
      ]);
    }
    const uses: [path: string, body: object][] = [
      ['/refresh', { refresh_token: challenge }],
      ['/login', { username: 'Nothing', password: challenge }],
      ['/password/reset', { token: challenge, password: 'another good passphrase' }],
      ['/email/verify', { token: challenge }],
    ];
    for (const [path, body] of uses) {
      const { status } = await server.http.post(path).send(body);
      expect([path, status < 500 && status >= 400]).toEqual([path, true]);
    }
    const step = asking(server, challenge).outcome('POST', '/me/step-up', {
      code: appCode(app.secret),
    });
    expect(await step).toBe('token_malformed');
    expect((await answer({ challenge, code: appCode(app.secret) })).status).toBe(200);
  });

  it('is stored as a hash', async () => {
    await personWithApp(server, 'Hashed');
    const challenge = await begin('Hashed');
    const rows = await server.withDatabase((db) => db.getRepository(SignInChallenge).find());
    expect(JSON.stringify(rows)).not.toContain(challenge);
  });
});

it.each<[string, (challenge: string) => unknown, number, string]>([
  ['no challenge', () => ({ code: '123456' }), 400, 'missing_parameter'],
  ['no proof', (challenge) => ({ challenge }), 400, 'missing_parameter'],
  [
    'two proofs',
    (challenge) => ({ challenge, code: '123456', recovery_code: 'x' }),
    400,
    'invalid_parameter',
  ],
  [
    'an unknown challenge',
    () => ({ challenge: randomBytes(32).toString('base64url'), code: '123456' }),
    401,
    'challenge_invalid',
  ],
  [
    'a challenge with a NUL',
    () => ({ challenge: 'a\0b', code: '123456' }),
    401,
    'challenge_invalid',
  ],
  ['an emoji', () => ({ challenge: '😀', code: '123456' }), 401, 'challenge_invalid'],
  [
    'a challenge as an object',
    () => ({ challenge: { $ne: 1 }, code: '123456' }),
    400,
    'invalid_parameter',
  ],
  ['a code with a NUL', (challenge) => ({ challenge, code: '12345\0' }), 400, 'invalid_parameter'],
  [
    'a code of other digits',
    (challenge) => ({ challenge, code: '١٢٣٤٥٦' }),
    400,
    'invalid_parameter',
  ],
  [
    'a recovery code with a NUL',
    (challenge) => ({ challenge, recovery_code: '\0'.repeat(16) }),
    400,
    'code_invalid',
  ],
  [
    'a recovery code as an object',
    (challenge) => ({ challenge, recovery_code: {} }),
    400,
    'invalid_parameter',
  ],
  ['10 MB', (challenge) => ({ challenge, code: '1'.repeat(10_000_000) }), 413, 'body_too_large'],
])('refuses %s with a sentence', async (what, body, status, code) => {
  const name = what.replaceAll(' ', '.');
  await personWithApp(server, name);
  const refused = await answer(body(await begin(name)) as object);
  expect(refused).toEqual({ status, body: { msg: TEXT, code } });
  await server.withDatabase(unused);
});
