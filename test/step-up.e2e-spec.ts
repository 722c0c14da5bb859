import jwt from 'jsonwebtoken';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import type { AccessTokenClaims } from '../src/keys/access-token.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { UsersService } from '../src/users/users.service.js';
import { asking, person } from './support/admins.js';
import { addTestFactor, refresh, signInByFactor } from './support/factors.js';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';
import { TEST_CODE, TestFactorModule } from './support/test-factor.module.js';

const ORIGIN = 'https://app.example.com';

let server: Server;
/** A server whose tokens follow the word `JWT`, and that gives browsers cookies. */
let other: Server;
beforeAll(async () => {
  const cookies = { AUTH_COOKIES: 'on', CORS_ORIGINS: ORIGIN, JWT_HEADER_TYPE: 'JWT' };
  server = await startServer({}, (builder) => builder, [TestFactorModule]);
  other = await startServer(cookies, (builder) => builder, [TestFactorModule]);
});
afterAll(async () => {
  await server.stop();
  await other.stop();
});

const claimsOf = (token: unknown) => jwt.decode(String(token)) as AccessTokenClaims;
const howOf = (token: unknown) => {
  const { amr, acr } = claimsOf(token);
  return { amr, acr };
};
const password = { current_password: GOOD_PASSWORD };
const code = { code: TEST_CODE };
let count = 0;
const aged = (token: string) => forge(token, { auth_time: now() - 3600 });

describe('@StepUp()', () => {
  it.each([
    ['recent', 'max_age="60"'],
    ['strong', 'acr_values="urn:latchkey:aal2", max_age="900"'],
  ])(
    'refuses an old sign-in on /test-vault/%s with the challenge of RFC 9470',
    async (path, how) => {
      const { jwt: token } = await person(server, `refused-${path}`);
      const asked = await server.get(`/test-vault/${path}`, `Bearer ${aged(token)}`);
      expect([asked.status, asked.body, asked.headers['www-authenticate']]).toEqual([
        401,
        { msg: expect.any(String) as string, code: 'reauthentication_required' },
        'Bearer error="insufficient_user_authentication", ' +
          `error_description="A more recent or stronger sign-in is required", ${how}`,
      ]);
    },
  );

  it('names the scheme of JWT_HEADER_TYPE', async () => {
    const { id } = await other.register('scheme');
    const { jwt: token } = await other.login('scheme');
    expect(claimsOf(token).identity ?? claimsOf(token).sub).toBe(id);
    const asked = await other.get('/test-vault/recent', `JWT ${aged(token)}`);
    expect(asked.headers['www-authenticate']).toMatch(/^JWT error="insufficient_user_auth/);
  });

  it('takes no password alone for two factors', async () => {
    const ada = await person(server, 'one-factor');
    expect(await ada.outcome('GET', '/test-vault/recent')).toBe(200);
    expect(await ada.outcome('GET', '/test-vault/strong')).toBe('reauthentication_required');
    const { body } = await ada.ask('POST', '/me/step-up', password);
    const raised = asking(server, body.jwt as string);
    expect(await raised.outcome('GET', '/test-vault/strong')).toBe('reauthentication_required');
  });
});

describe('POST /me/step-up', () => {
  it('makes a sign-in recent by the password, in the present session', async () => {
    const ada = await person(server, 'by-password');
    const old = asking(server, aged(ada.jwt));
    expect(await old.outcome('GET', '/test-vault/recent')).toBe('reauthentication_required');
    const { status, body } = await old.ask('POST', '/me/step-up', password);
    expect([status, body]).toEqual([
      200,
      {
        jwt: expect.any(String) as string,
        token_type: 'Bearer',
        expires_in: expect.any(Number) as number,
      },
    ]);
    expect(await asking(server, body.jwt as string).outcome('GET', '/test-vault/recent')).toBe(200);
    expect(claimsOf(body.jwt).sid).toBe(claimsOf(ada.jwt).sid);
    expect(now() - (claimsOf(body.jwt).auth_time ?? 0)).toBeLessThan(60);
    expect(howOf(body.jwt)).toEqual({ amr: ['pwd'], acr: 'urn:latchkey:aal1' });
    expect((await old.ask('GET', '/me/sessions')).body.sessions).toHaveLength(1);
  });

  it.each([password, code])('lengthens the life of no access token, by %j', async (proof) => {
    const eli = await person(server, `eli-${++count}`);
    await addTestFactor(server, eli.jwt);
    const exp = now() + 60;
    const { status, body } = await asking(server, forge(eli.jwt, { exp })).ask(
      'POST',
      '/me/step-up',
      proof,
    );
    const { exp: end, iat } = claimsOf(body.jwt);
    expect([status, end]).toEqual([200, exp]);
    expect([exp - iat, exp - iat - 1]).toContain(body.expires_in);
  });

  it('raises the session by a second factor: in tokens, in the list, in the audit', async () => {
    const bob = await person(server, 'by-code');
    await addTestFactor(server, bob.jwt);
    const { body } = await bob.ask('POST', '/me/step-up', code);
    const raised = { amr: ['pwd', 'otp', 'mfa'], acr: 'urn:latchkey:aal2' };
    expect(howOf(body.jwt)).toEqual(raised);
    const own = asking(server, body.jwt as string);
    expect(await own.outcome('GET', '/test-vault/strong')).toBe(200);
    expect((await own.ask('GET', '/me/sessions')).body.sessions).toEqual([
      expect.objectContaining({ ...raised, current: true }),
    ]);
    // The first refresh token of the session is still the current one.
    const next = await refresh(server, bob.refresh_token);
    expect(howOf(next.jwt)).toEqual(raised);
    expect(claimsOf(next.jwt).auth_time).toBe(claimsOf(body.jwt).auth_time);
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ subjectId: bob.id, action: 'stepped_up' }),
    );
    const session = claimsOf(bob.jwt).sid;
    expect(
      rows.map(({ actorId, details }) => ({
        actorId,
        details: JSON.parse(details ?? '') as unknown,
      })),
    ).toEqual([
      { actorId: bob.id, details: { session, amr: 'otp' } },
      { actorId: bob.id, details: { session, amr: 'otp' } },
    ]);
  });

  it.each([
    [{}, 'missing_parameter'],
    [{ ...password, ...code }, 'invalid_parameter'],
    [{ current_password: 'a wrong one' }, 'wrong_password'],
    [{ current_password: 'nul\0' }, 'wrong_password'],
    [{ code: '000000' }, 'code_invalid'],
    [{ recovery_code: 'AAAA-AAAA-AAAA-AAAA' }, 'code_invalid'],
    [{ recovery_code: '\u{1F408}\0' }, 'code_invalid'],
  ])('refuses %j', async (body, expected) => {
    const carl = await person(server, `carl${++count}`);
    await addTestFactor(server, carl.jwt);
    const before = await carl.ask('GET', '/me/sessions');
    expect(await carl.outcome('POST', '/me/step-up', body)).toBe(expected);
    expect(await carl.ask('GET', '/me/sessions')).toEqual(before);
  });

  it('raises no session that has ended, and none of another user', async () => {
    const dora = await person(server, 'dora');
    const eve = await person(server, 'eve');
    const foreign = forge(eve.jwt, { sid: claimsOf(dora.jwt).sid });
    expect(await asking(server, foreign).outcome('POST', '/me/step-up', password)).toBe(
      'token_revoked',
    );
    const none = forge(eve.jwt, { sid: '00000000-0000-4000-8000-000000000000' });
    expect(await asking(server, none).outcome('POST', '/me/step-up', password)).toBe(
      'token_revoked',
    );
    await dora.ask('POST', '/logout');
    expect(await dora.outcome('POST', '/me/step-up', password)).toBe('token_revoked');
  });

  it('is not for an administrator who acts for the user', async () => {
    const admin = await person(server, 'boss', ['admin']);
    const { id } = await server.register('acted-for');
    const { body } = await admin.ask('POST', `/users/${id}/impersonate`);
    const acting = asking(server, body.jwt as string);
    expect(await acting.outcome('POST', '/me/step-up', password)).toBe('impersonation_forbidden');
  });

  it('raises nothing by a password that was changed while the server looked at it', async () => {
    const fay = await person(server, 'fay');
    const passwords = server.app.get(PasswordsService, { strict: false });
    const user = await server.app.get(UsersService, { strict: false }).findById(fay.id);
    if (!user) throw new Error('no user');
    const verify = passwords.verify.bind(passwords);
    const spy = jest.spyOn(passwords, 'verify').mockImplementationOnce(async (...args) => {
      const right = await verify(...args);
      const changes = server.app.get(UserChangesService, { strict: false });
      await changes.changePassword(user, 'x', { keptSession: claimsOf(fay.jwt).sid });
      return right;
    });
    expect(await fay.outcome('POST', '/me/step-up', password)).toBe('conflict');
    spy.mockRestore();
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).countBy({ subjectId: fay.id, action: 'stepped_up' }),
    );
    expect(rows).toBe(0);
  });

  it('of 16 uses of one recovery code at once, takes one', async () => {
    const gus = await person(server, 'gus');
    const [recovery = ''] = await addTestFactor(server, gus.jwt);
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        gus.outcome('POST', '/me/step-up', { recovery_code: recovery }),
      ),
    );
    expect(answers.filter((answer) => answer === 200)).toEqual([200]);
    const refusals = answers.filter((answer) => answer !== 200);
    expect(refusals.every((one) => one === 'code_invalid' || one === 'too_many_requests')).toBe(
      true,
    );
    const { body } = await gus.ask('GET', '/me/factors');
    expect(body.recovery_codes_left).toBe(9);
  });

  it('takes 16 step-ups by password at once, all for one session', async () => {
    const hal = await person(server, 'hal');
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => hal.ask('POST', '/me/step-up', password)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(200));
    expect(new Set(answers.map(({ body }) => claimsOf(body.jwt).sid)).size).toBe(1);
    expect((await hal.ask('GET', '/me/sessions')).body.sessions).toHaveLength(1);
  });

  it('raises no session to two factors by the password, after the user has removed the last one', async () => {
    const kim = await person(server, 'kim');
    await addTestFactor(server, kim.jwt, 'First');
    await addTestFactor(server, kim.jwt, 'Second');
    const first = await refresh(server, kim.refresh_token);
    const second = await signInByFactor(server, 'kim');
    const own = asking(server, first.jwt);
    const { factors } = (await own.ask('GET', '/me/factors')).body as { factors: { id: string }[] };
    const remove = (index: number) =>
      own.outcome('DELETE', `/me/factors/${factors[index]?.id ?? ''}`);
    expect(await remove(0)).toBe(204);
    expect(await own.outcome('GET', '/test-vault/strong')).toBe(200);
    expect(await remove(1)).toBe(204);
    for (const { refresh_token } of [first, second]) {
      const { jwt: token } = await refresh(server, refresh_token);
      expect(howOf(token)).toEqual({ amr: ['pwd', 'otp'], acr: 'urn:latchkey:aal1' });
      const { body } = await asking(server, token).ask('POST', '/me/step-up', password);
      const raised = asking(server, body.jwt as string);
      expect(await raised.outcome('GET', '/test-vault/recent')).toBe(200);
      expect(await raised.outcome('GET', '/test-vault/strong')).toBe('reauthentication_required');
    }
  });

  it('gives no refresh token, neither in the body nor as a cookie', async () => {
    await other.register('ivy');
    const login = await other.http
      .post('/login')
      .set('Origin', ORIGIN)
      .send({ username: 'ivy', password: GOOD_PASSWORD });
    const [cookie = ''] = login.get('Set-Cookie') ?? [];
    const token = (login.body as { jwt: string }).jwt;
    for (const origin of [ORIGIN, undefined]) {
      const asked = other.http.post('/me/step-up').set('authorization', `JWT ${token}`);
      if (origin !== undefined) void asked.set('Origin', origin);
      const answer = await asked.send(password);
      expect([answer.status, Object.keys(answer.body as object), answer.get('Set-Cookie')]).toEqual(
        [200, ['jwt', 'token_type', 'expires_in'], undefined],
      );
    }
    const refreshed = other.http.post('/refresh').set('Origin', ORIGIN).set('Cookie', cookie);
    expect(await codeOf(refreshed)).toBe(200);
  });
});
