import { Like } from 'typeorm';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { asking, type Person, person } from './support/admins.js';
import { addApp } from './support/authenticator.js';
import { addTestFactor, challengeOf, refresh, signInByFactor } from './support/factors.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { allTold, type Receiver, startReceiver, telling } from './support/receiver.js';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';
import { latchkey } from './support/server-cli.js';
import { TEST_CODE, TestFactorModule } from './support/test-factor.module.js';

let receiver: Receiver;
let server: Server;
let admin: Person;
beforeAll(async () => {
  receiver = await startReceiver();
  server = await startServer(telling(receiver), (builder) => builder, [TestFactorModule]);
  admin = await person(server, 'Root', ['admin']);
});
afterAll(async () => {
  await server.stop();
  await receiver.stop();
});

const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const isId = expect.stringMatching(/^[\da-f-]{36}$/) as string;

/** A user with a verified address, a test factor and its recovery codes. */
async function enrolled(name: string, locale?: string) {
  const ada = await person(server, name, [], `${name}@example.com`);
  await admin.ask('PATCH', `/users/${ada.id}`, { verified: true });
  if (locale !== undefined) await ada.ask('PATCH', '/me', { locale });
  const codes = await addTestFactor(server, ada.jwt, 'Green key');
  const tokens = await refresh(server, ada.refresh_token);
  return { ...ada, ...tokens, ...asking(server, tokens.jwt), codes };
}

const factorsOf = async (id: string) => {
  const { body } = await admin.ask('GET', `/users/${id}`);
  return body.factors as { id: string }[];
};

/** The actions about factors and codes in the audit of a user, the oldest first. */
async function audited(subjectId: string) {
  const rows = await server.withDatabase((db) =>
    db.getRepository(AuditEvent).find({
      where: [
        { subjectId, action: Like('factor%') },
        { subjectId, action: Like('recovery%') },
      ],
      order: { createdAt: 'ASC', id: 'ASC' },
    }),
  );
  return rows.map(({ action, actorId, details }) => [
    action,
    actorId,
    JSON.parse(details ?? '') as unknown,
  ]);
}

/** The webhooks about factors and codes of a user, in order. */
async function told(userId: string) {
  await allTold(server);
  return receiver.received
    .filter((one) => one.userId === userId && /^(factor|recovery)/.test(one.event.type))
    .map(({ event: { type, data } }) => [type, data]);
}

it('tells of each change of factors and codes: audit, webhooks, mail', async () => {
  const ada = await enrolled('ada');
  const [code = ''] = ada.codes;
  await signInByFactor(server, 'ada', { recovery_code: code });
  await ada.ask('POST', '/me/recovery-codes');
  const [factor] = await factorsOf(ada.id);
  const path = `/me/factors/${factor?.id ?? ''}`;
  expect(await ada.outcome('PATCH', path, { name: 'Blue key' })).toBe(200);
  expect(await ada.outcome('DELETE', path)).toBe(204);

  expect((await audited(ada.id)).sort()).toEqual(
    [
      ['factor_added', ada.id, { kind: 'test' }],
      ['recovery_codes_made', ada.id, { left: 10 }],
      ['recovery_code_used', ada.id, { left: 9 }],
      ['recovery_codes_made', ada.id, { left: 10 }],
      ['factor_renamed', ada.id, { kind: 'test' }],
      ['factor_removed', ada.id, { kind: 'test' }],
    ].sort(),
  );
  const user = { id: ada.id };
  expect(await told(ada.id)).toEqual([
    ['factor.added', { user, factor: { kind: 'test' } }],
    ['recovery_codes.made', { user, left: 10 }],
    ['recovery_code.used', { user, left: 9 }],
    ['recovery_codes.made', { user, left: 10 }],
    ['factor.renamed', { user, factor: { kind: 'test' } }],
    ['factor.removed', { user, factor: { kind: 'test' } }],
  ]);
  const subjects = [
    ['Your account has a new second factor', 'Green key'],
    ['You have new recovery codes', 'ada'],
    ['A recovery code was used', 'Codes left: 9.'],
    ['A second factor was renamed', 'Blue key'],
    ['A second factor was removed', 'Blue key'],
  ];
  for (const [subject = '', text] of subjects) {
    expect((await mailAbout(server, 'ada@example.com', subject)).text).toContain(text);
  }
  // No code, and no other secret, in what was told.
  const everything = JSON.stringify([await audited(ada.id), await told(ada.id)]);
  const mails = (await mailsOf(server)).map(({ text, html }) => text + html).join();
  for (const secret of ada.codes) expect(everything + mails).not.toContain(secret);
});

it('tells in German, and warns of the last three codes', async () => {
  const bea = await enrolled('bea', 'de');
  await mailAbout(server, 'bea@example.com', 'Ihr Konto hat einen neuen zweiten Faktor');
  const texts: string[] = [];
  for (const code of bea.codes.slice(0, 7)) {
    await signInByFactor(server, 'bea', { recovery_code: code });
  }
  await mailAbout(server, 'bea@example.com', 'Ein Wiederherstellungscode wurde benutzt');
  while (texts.length < 7) {
    texts.splice(0);
    for (const { to, text } of await mailsOf(server)) {
      if (to === 'bea@example.com' && text.includes('Übrige Codes:')) texts.push(text);
    }
  }
  const left = (text: string) => Number(/Übrige Codes: (\d+)/.exec(text)?.[1]);
  const warning = texts.filter((text) => text.includes('Erzeugen Sie bald neue Codes'));
  expect(texts.map(left).sort()).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect(warning.map(left)).toEqual([3]);
});

it('names no factor to an address that may belong to a stranger', async () => {
  const { jwt } = await person(server, 'shady', [], 'stranger@example.com');
  await addTestFactor(server, jwt, 'visit evil.example');
  const subject = 'Your account has a new second factor';
  const { text, html } = await mailAbout(server, 'stranger@example.com', subject);
  expect(text + html).not.toMatch(/evil|shady/);
});

describe('GET /users/:id', () => {
  it('shows the factors of a user, without secrets', async () => {
    const { id } = await enrolled('shown');
    const { status, body } = await admin.ask('GET', `/users/${id}`);
    expect([status, body.factors, body.recovery_codes_left]).toEqual([
      200,
      [{ id: isId, kind: 'test', name: 'Green key', created_at: isTime, last_used_at: null }],
      10,
    ]);
    const ids = async (query: string) => {
      const { users } = (await admin.ask('GET', `/users?${query}`)).body;
      return (users as { id: string }[]).map((user) => user.id);
    };
    expect(await ids('mfa=any')).toContain(id);
    expect(await ids('mfa=none')).not.toContain(id);
    expect(await ids('mfa=none')).toContain(admin.id);
  });
});

describe('DELETE /users/:id/factors/:factor', () => {
  it('removes all factors and codes, ends all sessions, and tells of it', async () => {
    const cora = await enrolled('cora');
    await addTestFactor(server, cora.jwt, 'Second key');
    const pending = await challengeOf(server, 'cora');
    expect(await admin.ask('DELETE', `/users/${cora.id}/factors/all`)).toEqual({
      status: 204,
      body: {},
    });
    expect(await cora.outcome('GET', '/me')).toBe('token_revoked');
    const reused = server.http.post('/refresh').send({ refresh_token: cora.refresh_token });
    expect(await codeOf(reused)).toBe('session_ended');
    const answered = server.http
      .post('/login/second-factor')
      .send({ challenge: pending, code: TEST_CODE });
    expect(await codeOf(answered)).toBe('challenge_invalid');
    const after = await admin.ask('GET', `/users/${cora.id}`);
    expect([after.body.factors, after.body.recovery_codes_left]).toEqual([[], 0]);
    expect((await server.login('cora')).jwt).toEqual(expect.any(String));
    expect((await audited(cora.id)).at(-1)).toEqual([
      'factors_reset',
      admin.id,
      { kind: 'test', sessions: 1 },
    ]);
    expect((await told(cora.id)).at(-1)).toEqual([
      'factors.reset',
      { user: { id: cora.id }, kinds: ['test'] },
    ]);
    const ended = receiver.received.find(
      ({ userId, event }) => userId === cora.id && event.type === 'session.ended',
    );
    expect(ended?.event.data).toMatchObject({ reason: 'factors_reset' });
    const subject = 'Your second factors were reset';
    expect((await mailAbout(server, 'cora@example.com', subject)).text).toContain('cora');
  });

  it('removes one by its id, and keeps the others with the codes', async () => {
    const dina = await enrolled('dina');
    await addTestFactor(server, dina.jwt, 'Second key');
    const [first] = await factorsOf(dina.id);
    const path = `/users/${dina.id}/factors/${first?.id ?? ''}`;
    expect(await admin.outcome('DELETE', path)).toBe(204);
    const { body } = await admin.ask('GET', `/users/${dina.id}`);
    expect([(body.factors as object[]).length, body.recovery_codes_left]).toEqual([1, 10]);
    expect(await dina.outcome('GET', '/me')).toBe('token_revoked');
    const login = { username: 'dina', password: GOOD_PASSWORD };
    expect(await codeOf(server.http.post('/login').send(login))).toBe('second_factor_required');
    expect(await admin.outcome('DELETE', path)).toBe('not_found');
  });

  it('finds no factor by another id, and changes nothing then', async () => {
    const elsa = await enrolled('elsa');
    const [foreign] = await factorsOf((await enrolled('other')).id);
    const ids = [foreign?.id ?? '', 'none', '%00', '%F0%9F%90%88', 'ALL'];
    for (const id of ids) {
      const answer = await admin.ask('DELETE', `/users/${elsa.id}/factors/${id}`);
      const body = { msg: 'The user has no such factor', code: 'not_found' };
      expect([id, answer]).toEqual([id, { status: 404, body }]);
    }
    expect(await elsa.outcome('GET', '/me')).toBe(200);
    const { id: plain } = await server.register('plain');
    expect(await admin.outcome('DELETE', `/users/${plain}/factors/all`)).toBe('not_found');
  });

  it('is for holders of the permission, who may do no less than the user', async () => {
    await admin.ask('PUT', '/roles/helper', { permissions: ['factors:reset', 'users:read'] });
    const helper = await person(server, 'helper', ['helper']);
    const flo = await enrolled('flo');
    const boss = await person(server, 'boss', ['admin']);
    await addTestFactor(server, boss.jwt);
    expect(await flo.outcome('DELETE', `/users/${boss.id}/factors/all`)).toBe('forbidden');
    expect(await helper.outcome('DELETE', `/users/${boss.id}/factors/all`)).toBe('forbidden');
    expect(await helper.outcome('DELETE', `/users/${flo.id}/factors/all`)).toBe(204);
  });

  it('needs a recent sign-in, and is no way around one for own factors', async () => {
    const gina = await enrolled('gina');
    const old = asking(server, forge(admin.jwt, { auth_time: now() - 901 }));
    expect(await old.outcome('DELETE', `/users/${gina.id}/factors/all`)).toBe(
      'reauthentication_required',
    );
    const own = await person(server, 'own', ['admin']);
    await addTestFactor(server, own.jwt);
    expect(await own.ask('DELETE', `/users/${own.id}/factors/all`)).toEqual({
      status: 403,
      body: { msg: 'Remove your own factors under /me/factors', code: 'forbidden' },
    });
  });

  it('of 16 at once, one finds the factor', async () => {
    const hana = await enrolled('hana');
    const path = `/users/${hana.id}/factors/all`;
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => admin.outcome('DELETE', path)),
    );
    expect(answers.sort()).toEqual([204, ...Array<string>(15).fill('not_found')]);
    const resets = (await audited(hana.id)).filter(([action]) => action === 'factors_reset');
    expect(resets).toHaveLength(1);
  });
});

describe('users factors', () => {
  const cli = (...args: string[]) => latchkey(server, ['users', 'factors', ...args]);

  it('shows the factors of a user, and removes them', async () => {
    const { id, jwt } = await person(server, 'ida', [], 'ida@example.com');
    const app = await addApp(server.url, jwt, 'My phone');
    const shown = await cli('ida', '--json');
    expect([shown.code, JSON.parse(shown.stdout)]).toEqual([
      0,
      {
        userId: id,
        factors: [
          { id: app.id, kind: 'totp', name: 'My phone', createdAt: isTime, lastUsedAt: null },
        ],
        recoveryCodesLeft: 10,
      },
    ]);
    expect(shown.stdout).not.toContain(app.secret);
    expect((await cli('ida')).stdout).toContain('10 recovery codes are left');
    const listed = await latchkey(server, ['users', 'list', '--mfa', 'any', '--prefix', 'ida']);
    expect(listed.stdout).toContain(id);
    const without = await latchkey(server, ['users', 'list', '--mfa', 'none', '--prefix', 'ida']);
    expect(without).toMatchObject({ code: 0, stdout: '' });
    expect(await cli('ida', '--reset')).toMatchObject({
      code: 0,
      stdout: '1 second factors of ida were removed; all sessions have ended\n',
    });
    expect((await server.login('ida')).jwt).toEqual(expect.any(String));
    expect((await audited(id)).at(-1)).toEqual([
      'factors_reset',
      null,
      { kind: 'totp', sessions: 1 },
    ]);
    await mailAbout(server, 'ida@example.com', 'Your second factors were reset');
  });

  it('says if there is no factor, or no user', async () => {
    await server.register('jan');
    expect(await cli('jan', '--reset')).toMatchObject({
      code: 1,
      stderr: 'jan has no second factor\n',
    });
    expect(await cli('nobody')).toMatchObject({ code: 3 });
  });
});
