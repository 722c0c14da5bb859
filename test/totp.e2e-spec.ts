import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { DailyCleanup } from '../src/common/daily-cleanup.js';
import { TotpFactor } from '../src/totp/totp-factor.entity.js';
import { TotpResealing } from '../src/totp/totp-resealing.js';
import { asking, person } from './support/admins.js';
import { appCode, addApp, personWithApp, unused, wrongCode } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { SECRET, type Server, startServer } from './support/server.js';
import { times } from './support/limits.js';

const TEXT = expect.any(String) as string;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const NO_ENROLMENT = { msg: 'This enrolment does not exist or has expired', code: 'not_found' };
const WRONG = {
  msg: 'This code is wrong or was used before; wait for the next one',
  code: 'code_invalid',
};

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const confirmPath = (id: unknown) => `/me/factors/totp/${String(id)}/confirm`;
const rowOf = (id: string) =>
  server.withDatabase((db) => db.getRepository(TotpFactor).findOneByOrFail({ id }));

describe('enrolling an authenticator app', () => {
  it('gives a secret, its address and a QR code, which a code confirms', async () => {
    const ada = await person(server, 'Ada:1');
    const { status, body } = await ada.ask('POST', '/me/factors/totp', { name: ' My phone ' });
    expect([status, body]).toEqual([201, { id: TEXT, secret: TEXT, uri: TEXT, qr: TEXT }]);
    const secret = String(body.secret);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(body.uri).toBe(
      `otpauth://totp/latchkey:Ada-1?issuer=latchkey&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    expect(body.qr).toMatch(
      /^<svg xmlns="[^"]+" viewBox="[\d ]+">(<(rect|path) [^<>]+\/>)+<\/svg>$/,
    );
    expect(body.qr).not.toMatch(/style|script|\bon\w+=/);
    // It is no factor yet.
    expect((await ada.ask('GET', '/me/factors')).body).toEqual({
      factors: [],
      recovery_codes_left: 0,
    });
    expect((await server.login('Ada:1')).jwt).toEqual(TEXT);

    const confirmed = await ada.ask('POST', confirmPath(body.id), { code: appCode(secret) });
    expect(confirmed).toEqual({ status: 200, body: { recovery_codes: expect.any(Array) as [] } });
    expect((await ada.ask('GET', '/me/factors')).body).toEqual({
      factors: [
        { id: body.id, kind: 'totp', name: 'My phone', created_at: TIME, last_used_at: null },
      ],
      recovery_codes_left: 10,
    });
  });

  it('takes a name or none, and refuses what is no line of 1 to 64 characters', async () => {
    const { ask } = await person(server, 'Names');
    const msg = 'The name has to be a line of 1 to 64 characters';
    for (const name of [' ', 'a\nb', 'a\0b', '\u202eabc', '\ud800', 'x'.repeat(65)]) {
      const refused = { status: 400, body: { msg, code: 'invalid_parameter' } };
      expect([name, await ask('POST', '/me/factors/totp', { name })]).toEqual([name, refused]);
    }
    for (const name of [undefined, null, 'x', '😀'.repeat(64), 'Ключ']) {
      expect((await ask('POST', '/me/factors/totp', { name })).status).toBe(201);
    }
  });

  it('takes blanks in a code, and refuses every other form with a sentence', async () => {
    const { ask } = await person(server, 'Codes');
    const { body } = await ask('POST', '/me/factors/totp', {});
    const confirm = (code: unknown) => ask('POST', confirmPath(body.id), { code });
    const form = { msg: 'The code has to be six digits', code: 'invalid_parameter' };
    const odd = [
      '٣٤٥٦٧٨',
      '１２３４５６',
      '12345a',
      '12345',
      '1234567',
      '-12345',
      '1e5   ',
      '12345\0',
    ];
    for (const code of [...odd, '𝟏𝟐𝟑𝟒𝟓𝟔', '9'.repeat(10_000), '😀']) {
      expect([code, await confirm(code)]).toEqual([code, { status: 400, body: form }]);
    }
    for (const code of [123456, {}, [], true]) expect((await confirm(code)).status).toBe(400);
    for (const code of [undefined, null, '']) {
      const missing = { msg: 'Missing code parameter', code: 'missing_parameter' };
      expect((await confirm(code)).body).toEqual(missing);
    }
    const secret = String(body.secret);
    expect((await confirm(wrongCode(secret))).body).toEqual(WRONG);
    const spaced = appCode(secret).replace(/^(...)/, ' $1\u00a0');
    expect((await confirm(`${spaced}\n`)).status).toBe(200);
  });

  it('is confirmed once, of 16 requests at once', async () => {
    const { ask } = await person(server, 'Once');
    const { body } = await ask('POST', '/me/factors/totp', {});
    const code = appCode(String(body.secret));
    const answers = await times(16, () => ask('POST', confirmPath(body.id), { code }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body: refused } of answers) {
      if (status !== 200) expect([status, refused]).toEqual([404, NO_ENROLMENT]);
    }
  });

  it('spends the code that confirms it', async () => {
    const { ask, jwt } = await person(server, 'Spent');
    const { secret } = await addApp(server.url, jwt);
    // The step of the code may have ended a moment ago.
    const [code, before] = [appCode(secret), appCode(secret, -1)];
    for (const used of [before, code]) {
      const { status, body } = await ask('POST', '/me/step-up', { code: used });
      expect([status, body]).toEqual([400, WRONG]);
    }
    expect((await ask('POST', '/me/step-up', { code: appCode(secret, 1) })).status).toBe(200);
  });

  it('expires after ten minutes, and is removed in time', async () => {
    const { ask } = await person(server, 'Late');
    const { body } = await ask('POST', '/me/factors/totp', {});
    const id = String(body.id);
    const createdAt = new Date(Date.now() - 601_000);
    await server.withDatabase((db) => db.getRepository(TotpFactor).update({ id }, { createdAt }));
    const late = await ask('POST', confirmPath(id), { code: appCode(String(body.secret)) });
    expect(late).toEqual({ status: 404, body: NO_ENROLMENT });
    const { id: kept } = (await personWithApp(server, 'Kept')).app;
    await server.withDatabase((db) =>
      db.getRepository(TotpFactor).update({ id: kept }, { createdAt }),
    );
    const cleanup: unknown = server.app.get(DailyCleanup, { strict: false });
    await (cleanup as { work(): Promise<void> }).work();
    await expect(rowOf(id)).rejects.toThrow();
    expect((await rowOf(kept)).name).toBe('Authenticator app');
  });

  it('keeps five that wait, and ten apps', async () => {
    const { ask, jwt, id } = await person(server, 'Many');
    const ids = [];
    for (let i = 0; i < 7; i++) ids.push((await ask('POST', '/me/factors/totp', {})).body.id);
    const kept = await server.withDatabase((db) =>
      db.getRepository(TotpFactor).findBy({ userId: id }),
    );
    expect(kept.map((app) => app.id).sort()).toEqual(ids.slice(2).sort());
    for (let i = 0; i < 9; i++) await addApp(server.url, jwt, `App ${i}`);
    const waiting = (await ask('POST', '/me/factors/totp', {})).body;
    await addApp(server.url, jwt, 'The tenth');
    const full = {
      status: 409,
      body: {
        msg: 'You have as many factors of this kind as are allowed; remove one first',
        code: 'too_many_factors',
      },
    };
    expect(await ask('POST', '/me/factors/totp', {})).toEqual(full);
    const code = appCode(String(waiting.secret));
    expect(await ask('POST', confirmPath(waiting.id), { code })).toEqual(full);
  });

  it('is for its own user, signed in and not long ago', async () => {
    const ada = await person(server, 'Own');
    const eve = await person(server, 'Eve');
    const { body } = await ada.ask('POST', '/me/factors/totp', {});
    const code = appCode(String(body.secret));
    for (const id of [body.id, 'none', '%00', '😀', '../..']) {
      expect(await eve.outcome('POST', confirmPath(id), { code })).toBe('not_found');
    }
    const { body: mine } = await eve.ask('POST', '/me/factors/totp', {});
    await eve.ask('POST', '/logout');
    const ended = await eve.outcome('POST', confirmPath(mine.id), {
      code: appCode(String(mine.secret)),
    });
    expect(ended).toBe('token_revoked');
  });
});

describe('the apps of a user', () => {
  it('are several, with names of their own, and each code is good', async () => {
    const ada = await personWithApp(server, 'Several');
    const second = await addApp(server.url, ada.jwt, 'Tablet');
    expect(second.recoveryCodes).toEqual([]);
    await server.withDatabase(unused);
    for (const { secret } of [ada.app, second]) {
      expect(await ada.outcome('POST', '/me/step-up', { code: appCode(secret) })).toBe(200);
    }
    const renamed = await ada.ask('PATCH', `/me/factors/${second.id}`, { name: 'Old tablet' });
    expect(renamed).toEqual({
      status: 200,
      body: {
        id: second.id,
        kind: 'totp',
        name: 'Old tablet',
        created_at: TIME,
        last_used_at: TIME,
      },
    });
    const { body } = await ada.ask('GET', '/me/factors');
    expect((body.factors as { name: string }[]).map(({ name }) => name)).toEqual([
      'Authenticator app',
      'Old tablet',
    ]);
    expect(await ada.outcome('DELETE', `/me/factors/${ada.app.id}`)).toBe(204);
    await server.withDatabase(unused);
    expect(await ada.outcome('POST', '/me/step-up', { code: appCode(ada.app.secret) })).toBe(
      'code_invalid',
    );
    expect(await ada.outcome('POST', '/me/step-up', { code: appCode(second.secret) })).toBe(200);
  });

  it("are out of another user's reach", async () => {
    const ada = await personWithApp(server, 'Reach');
    const eve = await personWithApp(server, 'Reaching');
    for (const id of [ada.app.id, 'none', '%00', '%F0%9F%98%80']) {
      expect(await eve.outcome('PATCH', `/me/factors/${id}`, { name: 'Mine' })).toBe('not_found');
      expect(await eve.outcome('DELETE', `/me/factors/${id}`)).toBe('not_found');
    }
    expect(await eve.outcome('POST', '/me/step-up', { code: appCode(ada.app.secret) })).toBe(
      'code_invalid',
    );
  });

  it('end with the last one as second factor, and its recovery codes too', async () => {
    const { app, ask, name } = await personWithApp(server, 'Last');
    expect((await ask('DELETE', `/me/factors/${app.id}`)).status).toBe(204);
    expect((await ask('GET', '/me/factors')).body).toEqual({ factors: [], recovery_codes_left: 0 });
    const { jwt } = await server.login(name);
    // The next factor is a first one again.
    const again = await addApp(server.url, jwt);
    expect(again.recoveryCodes).toHaveLength(10);
    expect(again.recoveryCodes).not.toContain(app.recoveryCodes[0]);
  });

  it('end all other sessions when the first one is added', async () => {
    const { ask, jwt, refresh_token: own } = await person(server, 'Ending');
    const other = await server.login('Ending');
    const third = await addApp(server.url, jwt).then(() => asking(server, other.jwt));
    expect(await third.outcome('GET', '/me')).toBe('token_revoked');
    const refreshed = await ask('POST', '/refresh', { refresh_token: other.refresh_token });
    expect(refreshed.body.code).toBe('session_ended');
    expect((await ask('POST', '/refresh', { refresh_token: own })).status).toBe(200);
    const { body } = await ask('GET', '/me/sessions');
    expect(body.sessions).toEqual([
      expect.objectContaining({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:latchkey:aal2' }),
    ]);
  });
});

it('leaves a row in the audit for each change of factors and recovery codes', async () => {
  const { app, ask, id } = await personWithApp(server, 'Audited');
  await ask('PATCH', `/me/factors/${app.id}`, { name: 'Phone' });
  await ask('POST', '/me/step-up', { code: appCode(app.secret) });
  await ask('POST', '/me/step-up', { recovery_code: app.recoveryCodes[0] });
  await ask('DELETE', `/me/factors/${app.id}`);
  const rows = await server.withDatabase((db) =>
    db.getRepository(AuditEvent).find({ where: { subjectId: id }, order: { id: 'ASC' } }),
  );
  const found = rows.map(({ action, details }) => [action, JSON.parse(details ?? '{}') as unknown]);
  const session = expect.any(String) as string;
  expect(found.slice(2)).toEqual([
    ['stepped_up', { session, amr: 'otp' }],
    ['factor_added', { kind: 'totp' }],
    ['recovery_codes_made', { left: 10 }],
    ['factor_renamed', { kind: 'totp' }],
    ['stepped_up', { session, amr: 'otp' }],
    ['recovery_code_used', { left: 9 }],
    ['stepped_up', { session, amr: 'recovery' }],
    ['factor_removed', { kind: 'totp' }],
  ]);
  for (const { actorId, mac } of rows) expect([actorId, mac]).toEqual([id, expect.any(String)]);
});

describe('the secret of an app', () => {
  it('is sealed at rest, and in no log', async () => {
    const { app } = await personWithApp(server, 'Sealed');
    const row = await rowOf(app.id);
    expect(row.sealed).toMatch(/^[\w-]{80}$/);
    const raw = Buffer.from(row.sealed, 'base64url').toString('latin1');
    expect(raw).not.toContain(app.secret.slice(0, 4));
    expect(JSON.stringify(server.log)).not.toContain(app.secret);
  });

  it('stays readable when the server gets another secret, and then needs the old one no more', async () => {
    const [a, b] = [SECRET, randomBytes(64).toString('base64url')];
    const first = await startServer({ JWT_SECRET_KEY: a });
    const others: Server[] = [];
    const next = async (changed: Record<string, string>) => {
      const one = await startServer({ DATABASE_URL: first.database.url, ...changed });
      others.push(one);
      return one;
    };
    try {
      const { app, jwt } = await personWithApp(first, 'Rotated');
      const stepUp = async (on: Server) => {
        await on.withDatabase(unused);
        return asking(on, jwt).outcome('POST', '/me/step-up', { code: appCode(app.secret) });
      };
      const moved = await next({ JWT_SECRET_KEY: b, JWT_PREVIOUS_SECRET_KEYS: a });
      expect(await stepUp(moved)).toBe(200);
      await moved.app.get(TotpResealing, { strict: false }).run();
      expect(await stepUp(moved)).toBe(200);
      // A server with the new secret alone does not take the old token, so the user signs in again.
      const done = await next({ JWT_SECRET_KEY: b });
      await done.withDatabase(unused);
      const challenge = await challengeOf(done, 'Rotated');
      const proof = { challenge, code: appCode(app.secret) };
      expect((await done.http.post('/login/second-factor').send(proof)).status).toBe(200);
    } finally {
      for (const one of others) await one.app.close();
      await first.stop();
    }
  });
});
