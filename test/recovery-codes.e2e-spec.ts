import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { RecoveryCode } from '../src/factors/recovery-code.entity.js';
import { person } from './support/admins.js';
import { personWithApp } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { bearer, codeOf } from './support/http.js';
import { times } from './support/limits.js';
import { mailsOf } from './support/mailbox.js';
import { now, SECRET, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';
import { until } from './support/wait.js';

const FORM = /^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/;
const WRONG = { msg: 'This recovery code is wrong or was used before', code: 'code_invalid' };

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Signs in with a password and a recovery code. */
async function signIn(username: string, recovery_code: unknown, on = server) {
  const challenge = await challengeOf(on, username);
  const response = await on.http.post('/login/second-factor').send({ challenge, recovery_code });
  return { status: response.status, body: response.body as Record<string, unknown> };
}
const leftOf = async ({ ask }: { ask: Awaited<ReturnType<typeof person>>['ask'] }) =>
  (await ask('GET', '/me/factors')).body.recovery_codes_left;
const first = (codes: string[]) => codes[0] ?? '';

describe('recovery codes', () => {
  it('are ten of 80 bits, shown once and stored as MACs', async () => {
    const { app, ask, id } = await personWithApp(server, 'Ten');
    expect(new Set(app.recoveryCodes).size).toBe(10);
    for (const code of app.recoveryCodes) expect(code).toMatch(FORM);
    const rows = await server.withDatabase((db) => db.getRepository(RecoveryCode).find());
    const stored = JSON.stringify([rows, (await ask('GET', '/me/export')).body, server.log]);
    for (const code of app.recoveryCodes) {
      expect(stored).not.toContain(code);
      expect(stored).not.toContain(code.replaceAll('-', ''));
    }
    expect(rows.filter(({ userId }) => userId === id)).toHaveLength(10);
  });

  it('sign in at level 2, and say so', async () => {
    const user = await personWithApp(server, 'Lost');
    const { status, body } = await signIn('Lost', first(user.app.recoveryCodes));
    expect(status).toBe(200);
    expect(jwt.decode(String(body.jwt))).toMatchObject({
      sub: user.id,
      amr: ['pwd', 'recovery', 'mfa'],
      acr: 'urn:latchkey:aal2',
    });
    expect(await leftOf(user)).toBe(9);
  });

  it('are good once each, also for a step-up', async () => {
    const user = await personWithApp(server, 'Each');
    const [one, two] = user.app.recoveryCodes;
    expect((await signIn('Each', one)).status).toBe(200);
    expect(await signIn('Each', one)).toEqual({ status: 400, body: WRONG });
    expect(await user.outcome('POST', '/me/step-up', { recovery_code: one })).toBe('code_invalid');
    expect(await user.outcome('POST', '/me/step-up', { recovery_code: two })).toBe(200);
    expect(await signIn('Each', two)).toEqual({ status: 400, body: WRONG });
    expect(await leftOf(user)).toBe(8);
  });

  it('are told of in the language of the request, or of the user', async () => {
    const user = await personWithApp(server, 'Sprache');
    const [one, two, three] = user.app.recoveryCodes;
    const inGerman = (path: string, body: object) =>
      server.http
        .post(path)
        .set('accept-language', 'de')
        .set('authorization', bearer(user.jwt))
        .send(body)
        .expect(200);
    const used = async (times: number, subject: string) => {
      await until(async () => {
        const mails = await mailsOf(server);
        return (
          mails.filter((mail) => mail.to === 'Sprache@example.org' && mail.subject === subject)
            .length === times
        );
      }, `${times} of "${subject}"`);
    };
    const signIn = async (recovery_code?: string) =>
      inGerman('/login/second-factor', {
        challenge: await challengeOf(server, 'Sprache'),
        recovery_code,
      });
    await signIn(one);
    await used(1, 'Ein Wiederherstellungscode wurde benutzt');
    await inGerman('/me/step-up', { recovery_code: two });
    await used(2, 'Ein Wiederherstellungscode wurde benutzt');
    await user.ask('PATCH', '/me', { locale: 'en' });
    await signIn(three);
    await used(1, 'A recovery code was used');
  });

  it('are good once, of 16 sign-ins at once', async () => {
    const user = await personWithApp(server, 'Sixteen');
    const code = first(user.app.recoveryCodes);
    const answers = await times(16, () => codeOf(signIn('Sixteen', code)));
    expect(answers.filter((one) => one === 200)).toHaveLength(1);
    expect(answers.filter((one) => one === 'code_invalid')).toHaveLength(15);
    expect(await leftOf(user)).toBe(9);
  });

  it('are good once, of 16 sign-ins and step-ups at once', async () => {
    const user = await personWithApp(server, 'Both');
    const recovery_code = first(user.app.recoveryCodes);
    const answers = await times(16, (index) =>
      index % 2
        ? codeOf(signIn('Both', recovery_code))
        : user.outcome('POST', '/me/step-up', { recovery_code }),
    );
    expect(answers.filter((one) => one === 200)).toHaveLength(1);
    expect(answers.filter((one) => one === 'code_invalid')).toHaveLength(15);
    expect(await leftOf(user)).toBe(9);
  });

  it('may be typed with blanks, without hyphens, in any case, with look-alike letters', async () => {
    const { app } = await personWithApp(server, 'Typed');
    const forms: ((code: string) => string)[] = [
      (code) => code.replaceAll('-', ''),
      (code) => code.toLowerCase(),
      (code) => ` ${code.replaceAll('-', ' ')}\u00a0\n`,
      (code) => code.replaceAll('0', 'o').replaceAll('1', 'l'),
      (code) => code.replaceAll('0', 'O').replaceAll('1', 'I'),
    ];
    for (const [index, form] of forms.entries()) {
      const typed = form(app.recoveryCodes[index] ?? '');
      expect([typed, (await signIn('Typed', typed)).status]).toEqual([typed, 200]);
    }
    for (const typed of ['x', 'ÀBCD-EFGH-JKMN-PQRS', '٣'.repeat(16), '0'.repeat(10_000), '\0']) {
      expect([typed, await signIn('Typed', typed)]).toEqual([typed, { status: 400, body: WRONG }]);
    }
  });

  it('end when new ones are made, also by 16 requests at once', async () => {
    const user = await personWithApp(server, 'Renewed');
    const [old = '', used] = user.app.recoveryCodes;
    expect((await signIn('Renewed', used)).status).toBe(200);
    const { status, body } = await user.ask('POST', '/me/recovery-codes');
    const codes = body.recovery_codes as string[];
    expect([status, Object.keys(body), codes.length]).toEqual([201, ['recovery_codes'], 10]);
    for (const code of [old, used]) expect((await signIn('Renewed', code)).body).toEqual(WRONG);
    expect((await signIn('Renewed', first(codes))).status).toBe(200);
    await times(16, () => user.ask('POST', '/me/recovery-codes'));
    expect(await leftOf(user)).toBe(10);
    expect((await signIn('Renewed', codes[1])).body).toEqual(WRONG);
  });

  it('are of no use to another account', async () => {
    const eve = await personWithApp(server, 'Eve');
    await personWithApp(server, 'Hers');
    expect((await signIn('Hers', first(eve.app.recoveryCodes))).body).toEqual(WRONG);
    expect((await signIn('Eve', first(eve.app.recoveryCodes))).status).toBe(200);
  });

  it('are for users with a factor', async () => {
    const { ask } = await person(server, 'None');
    expect(await ask('POST', '/me/recovery-codes')).toEqual({
      status: 404,
      body: { msg: 'Add a second factor first', code: 'not_found' },
    });
  });

  it('stay good while an older secret of the server is in the settings', async () => {
    const { app } = await personWithApp(server, 'Rotated');
    const next = randomBytes(64).toString('base64url');
    const moved = await startServer({
      DATABASE_URL: server.database.url,
      JWT_SECRET_KEY: next,
      JWT_PREVIOUS_SECRET_KEYS: SECRET,
    });
    try {
      expect((await signIn('Rotated', first(app.recoveryCodes), moved)).status).toBe(200);
      expect((await signIn('Rotated', first(app.recoveryCodes))).body).toEqual(WRONG);
    } finally {
      await moved.stop();
    }
  });
});

it.each([
  ['POST', '/me/recovery-codes', undefined],
  ['POST', '/me/factors/totp', {}],
  ['POST', '/me/factors/totp/:id/confirm', { code: '123456' }],
  ['PATCH', '/me/factors/:id', { name: 'Mine' }],
  ['DELETE', '/me/factors/:id', undefined],
] as const)('%s %s needs a recent proof', async (method, path, body) => {
  const user = await personWithApp(server, `Old${method}${path.length}`);
  const old = forge(user.jwt, { auth_time: now() - 901 });
  const asked = server.http[method.toLowerCase() as 'post'](path.replace(':id', user.app.id));
  const response = await asked.set('authorization', bearer(old)).send(body);
  expect([response.status, response.body]).toEqual([
    401,
    {
      msg: 'Sign in again, or send your current password, to do this',
      code: 'reauthentication_required',
    },
  ]);
  expect(response.headers['www-authenticate']).toMatch(
    /^Bearer error="insufficient_user_authentication", .*max_age="900"$/,
  );
});
