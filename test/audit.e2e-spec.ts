import { jest } from '@jest/globals';
import { In } from 'typeorm';
import { FailedLogins } from '../src/audit/failed-logins.js';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { AuditService } from '../src/audit/audit.service.js';
import { runInContext } from '../src/common/request-context.js';
import { Database } from '../src/database/database.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { sealAll, verify } from './support/audit.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

const NEW_PASSWORD = 'another correct horse battery';
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let server: Server;
let admin: string;
beforeAll(async () => {
  server = await startServer();
  const { id } = await server.register('Boss');
  await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['admin']);
  admin = `Bearer ${(await server.login('boss')).jwt}`;
});
afterAll(() => server.stop());

interface Event {
  id: string;
  at: string;
  action: string;
  subject: string | null;
  actor: string | null;
  [key: string]: unknown;
}
interface Page {
  events: Event[];
  next: string | null;
}

const page = async (query: string) => {
  const response = await server.get(`/audit?${query}`, admin);
  expect(response.status).toBe(200);
  return response.body as Page;
};
/** What happened to a user, the oldest first; failed logins that wait are written before. */
const eventsOf = async (id: string) => {
  await server.app.get(FailedLogins, { strict: false }).write();
  return (await page(`subject=${id}`)).events.reverse();
};
const bearer = (jwt: string) => `Bearer ${jwt}`;
const sidOf = (token: string) => token.split('.')[0];
const failLogin = (username: string, password = 'a wrong password') =>
  server.http.post('/login').send({ username, password });

/** Every value that the audit has stored, as one text. */
const stored = () =>
  server.withDatabase(async (db) => JSON.stringify(await db.getRepository(AuditEvent).find()));

describe('what is recorded', () => {
  it('has who, whom, from where and with what, whole', async () => {
    const registration = await server.http
      .post('/register')
      .set('user-agent', AGENT)
      .send({ username: 'Whole', password: GOOD_PASSWORD });
    const { id } = registration.body as { id: string };
    const login = await server.http
      .post('/login')
      .set('user-agent', `${AGENT}\u00e9${'x'.repeat(2000)}`)
      .send({ username: 'whole', password: GOOD_PASSWORD });
    const { refresh_token: refreshToken } = login.body as { refresh_token: string };
    const common = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      subject: id,
      actor: id,
      impersonator: null,
      source: 'request',
      address: '127.0.0.1',
      seq: expect.anything() as unknown,
    };
    await sealAll(server);
    const events = await eventsOf(id);
    expect(events).toEqual([
      {
        ...common,
        action: 'registered',
        userAgent: AGENT,
        requestId: registration.headers['x-request-id'],
        details: {},
      },
      {
        ...common,
        action: 'login',
        userAgent: expect.stringMatching(/^Mozilla.{505}$/s) as string,
        requestId: login.headers['x-request-id'],
        details: { session: sidOf(refreshToken) },
      },
    ]);
  });

  it('has every change of sessions and passwords', async () => {
    const { id } = await server.register('Busy');
    const [one, two, three] = [
      await server.login('busy'),
      await server.login('busy'),
      await server.login('busy'),
    ];
    const delete_ = server.http.delete(`/me/sessions/${sidOf(two.refresh_token)}`);
    await delete_.set('authorization', bearer(one.jwt)).expect(204);
    const change = { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD };
    await server.http
      .put('/me/password')
      .set('authorization', bearer(one.jwt))
      .send(change)
      .expect(204);
    const four = await server.login('busy', NEW_PASSWORD);
    const logout = (query: string) =>
      server.http.post(`/logout${query}`).set('authorization', bearer(four.jwt)).expect(204);
    await logout('?scope=others');
    await logout('');
    expect(
      (await eventsOf(id)).map(({ action, actor, details }) => [action, actor, details]),
    ).toEqual([
      ['registered', id, {}],
      ...[one, two, three].map((tokens) => ['login', id, { session: sidOf(tokens.refresh_token) }]),
      ['session_ended', id, { session: sidOf(two.refresh_token) }],
      ['password_changed', id, { sessions: 1 }],
      ['login', id, { session: sidOf(four.refresh_token) }],
      ['logout', id, { sessions: 1 }],
      ['logout', id, { session: sidOf(four.refresh_token) }],
    ]);
  });

  it('has a refresh token that was used again, by nobody known, once', async () => {
    const { id } = await server.register('Robbed');
    const { refresh_token: first } = await server.login('robbed');
    const refresh = (token: string) => server.http.post('/refresh').send({ refresh_token: token });
    const { body } = (await refresh(first)) as { body: { refresh_token: string } };
    await refresh(body.refresh_token).expect(200);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(first)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(401));
    const events = (await eventsOf(id)).filter(({ action }) => action === 'refresh_reuse');
    expect(events.map(({ actor, details }) => [actor, details])).toEqual([
      [null, { session: sidOf(first) }],
    ]);
  });

  it('has what is done to a user, by whom, or that the server did it', async () => {
    const { id } = await server.register('Moved');
    const changes = server.app.get(UserChangesService, { strict: false });
    await changes.setRoles(id, ['editor', 'author']);
    await runInContext({ source: 'cli' }, () => changes.disable(id));
    await changes.disable(id);
    await changes.enable(id);
    await changes.enable(id);
    const events = await eventsOf(id);
    expect(
      events.map(({ action, actor, source, address, details }) => [
        action,
        actor,
        source,
        address,
        details,
      ]),
    ).toEqual([
      ['registered', id, 'request', '127.0.0.1', {}],
      ['role_changed', null, 'server', null, { roles: 'editor author' }],
      ['user_disabled', null, 'cli', null, { sessions: 0 }],
      ['user_enabled', null, 'server', null, {}],
    ]);
  });

  it('names who acts in the name of a user', async () => {
    const { id } = await server.register('Puppet');
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['admin']);
    const { jwt } = await server.login('puppet');
    const token = forge(jwt, { act: { sub: 'an admin' }, act_ver: 0, act_roles: Date.now() });
    await server.http
      .post(`/users/${id}/sessions/revoke`)
      .set('authorization', bearer(token))
      .expect(200, { ended: 1 });
    expect((await eventsOf(id)).at(-1)).toMatchObject({
      action: 'sessions_revoked',
      actor: id,
      impersonator: 'an admin',
    });
  });

  it('keeps each of many requests at once apart', async () => {
    const { id } = await server.register('Many');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        server.http
          .post('/login')
          .set('user-agent', `device ${i}`)
          .send({ username: 'many', password: GOOD_PASSWORD }),
      ),
    );
    const expected = answers.map(({ headers, body }, i) => [
      `device ${i}`,
      headers['x-request-id'],
      sidOf((body as { refresh_token: string }).refresh_token),
    ]);
    const logins = (await eventsOf(id)).filter(({ action }) => action === 'login');
    const found = logins.map(({ userAgent, requestId, details }) => [
      userAgent,
      requestId,
      (details as { session: string }).session,
    ]);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  it('is not there where the change is not', async () => {
    const { id } = await server.register('Taken');
    const before = (await page('action=registered&limit=100')).events.length;
    const again = await server.http
      .post('/register')
      .send({ username: 'taken', password: GOOD_PASSWORD });
    expect(again.status).toBe(409);
    expect((await page('action=registered&limit=100')).events).toHaveLength(before);
    const database = server.app.get(Database, { strict: false });
    const audit = server.app.get(AuditService, { strict: false });
    const undone = database.transaction(async (manager) => {
      await audit.record(manager, { action: 'user_updated', subjectId: id });
      throw new Error('and then it went wrong');
    });
    await expect(undone).rejects.toThrow('went wrong');
    expect((await eventsOf(id)).map(({ action }) => action)).toEqual(['registered']);
  });

  it('takes no login that could not be recorded', async () => {
    const { id } = await server.register('Unseen');
    const audit = server.app.get(AuditService, { strict: false });
    const failing = jest.spyOn(audit, 'record').mockRejectedValueOnce(new Error('no room'));
    const login = () => failLogin('unseen', GOOD_PASSWORD);
    expect((await login()).status).toBe(500);
    failing.mockRestore();
    expect((await login()).status).toBe(200);
    expect((await eventsOf(id)).map(({ action }) => action)).toEqual(['registered', 'login']);
    const { jwt } = await server.login('unseen');
    const list = await server.get('/me/sessions', bearer(jwt));
    expect((list.body as { sessions: unknown[] }).sessions).toHaveLength(2);
  });
});

describe('a failed login', () => {
  const failures = async () =>
    (await page('action=login_failed&limit=100')).events.map(({ subject, actor, details }) => ({
      subject,
      actor,
      details,
    }));

  it('is one row of the user, and later ones are a sum', async () => {
    const { id } = await server.register('Guessed');
    const job = server.app.get(FailedLogins, { strict: false });
    await failLogin('guessed').expect(401);
    await job.write();
    const ofUser = async () => (await failures()).filter(({ subject }) => subject === id);
    const one = { subject: id, actor: null, details: { reason: 'bad_credentials' } };
    expect(await ofUser()).toEqual([one]);
    for (let i = 0; i < 5; i++) await failLogin('guessed').expect(401);
    await job.write();
    expect(await ofUser()).toEqual([one]);
    await job.write(true);
    expect(await ofUser()).toEqual([
      { ...one, details: { reason: 'bad_credentials', count: 5 } },
      one,
    ]);
  });

  it('says so where the password was right but the user is disabled', async () => {
    const { id } = await server.register('Locked');
    await server.app.get(UserChangesService, { strict: false }).disable(id);
    await failLogin('locked', GOOD_PASSWORD).expect(403);
    expect((await eventsOf(id)).at(-1)).toMatchObject({
      action: 'login_failed',
      details: { reason: 'user_disabled' },
    });
  });

  it('that was counted before its user was deleted is written without address and user agent', async () => {
    const { id } = await server.register('Leaving');
    const { jwt } = await server.login('leaving');
    const job = server.app.get(FailedLogins, { strict: false });
    const fail = () => failLogin('leaving').set('user-agent', AGENT).expect(401);
    // The second one waits for the end of a quarter of an hour.
    await fail();
    await job.write();
    await fail();
    await server.http.delete('/me').set('authorization', bearer(jwt)).expect(204);
    await job.write(true);
    const events = (await eventsOf(id)).filter(({ action }) => action === 'login_failed');
    expect(events.map(({ address, userAgent }) => [address, userAgent])).toEqual([
      [null, null],
      [null, null],
    ]);
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ subjectId: id, action: 'login_failed' }),
    );
    expect(rows.map(({ originSalt }) => originSalt)).toEqual([null, null]);
    await sealAll(server);
    expect((await verify(server)).faults).toEqual([]);
  });

  it('that is written while its user is deleted keeps neither', async () => {
    const job = server.app.get(FailedLogins, { strict: false });
    const changes = server.app.get(UserChangesService, { strict: false });
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      const { id } = await server.register(`Racing${i}`);
      ids.push(id);
      runInContext({ source: 'request', address: '192.0.2.77', userAgent: AGENT }, () => {
        job.note(id, 'bad_credentials');
      });
      await Promise.all([job.write(true), changes.delete({ id })]);
    }
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ subjectId: In(ids), action: 'login_failed' }),
    );
    expect(rows.map(({ address, userAgent }) => [address, userAgent])).toEqual(
      ids.map(() => [null, null]),
    );
  });

  it('of unknown names keeps no name, since people type passwords there', async () => {
    const typed = ['my secret passphrase', 'nobody@example.org', 'nul\0nul', '😀'.repeat(20)];
    for (const name of typed) await failLogin(name, `${name} as password`).expect(401);
    await server.app.get(FailedLogins, { strict: false }).write();
    const text = await stored();
    for (const name of typed) expect(text).not.toContain(JSON.stringify(name).slice(1, -1));
    expect((await failures()).filter(({ subject }) => subject === null).length).toBe(1);
  });

  it('fills no disk when it comes from everywhere', async () => {
    const job = server.app.get(FailedLogins, { strict: false });
    const rows = () => server.withDatabase((db) => db.getRepository(AuditEvent).count());
    await job.write(true);
    const before = await rows();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3_000; i++) {
        const address = `192.0.${i >> 8}.${i & 255}`;
        runInContext({ address }, () => {
          job.note(null, 'bad_credentials');
        });
      }
      await job.write();
    }
    expect((await rows()) - before).toBeLessThanOrEqual(1_001);
    await job.write(true);
    const counts = await server.withDatabase(async (db) => {
      const all = await db.getRepository(AuditEvent).findBy({ source: 'server' });
      return all
        .filter(({ action }) => action === 'login_failed')
        .map(({ details }) => (JSON.parse(details ?? '{}') as { count?: number }).count ?? 1);
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(9_000);
  });
});

describe('secrets', () => {
  it('are in no row', async () => {
    const password = 'a canary of a password 1';
    const { id } = await server.register('Secretive', password, 'keeper@example.org');
    const first = await server.login('secretive', password);
    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: first.refresh_token });
    const tokens = refreshed.body as { jwt: string; refresh_token: string };
    const next = 'a canary of a password 2';
    await server.http
      .put('/me/password')
      .set('authorization', bearer(tokens.jwt))
      .send({ current_password: password, new_password: next })
      .expect(204);
    await failLogin('secretive', 'a canary of a password 3').expect(401);
    await server.http.post('/logout').set('authorization', bearer(tokens.jwt)).expect(204);
    expect((await eventsOf(id)).length).toBe(5);
    const text = await stored();
    const secrets = [first, tokens].flatMap(({ jwt, refresh_token: token }) => [
      jwt.split('.')[2],
      token.split('.')[2],
      token.split('.')[3],
    ]);
    for (const secret of ['a canary', 'keeper@', '$2b$', ...secrets]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('GET /audit', () => {
  it('is for admins', async () => {
    await server.register('Curious');
    const { jwt } = await server.login('curious');
    const response = await server.get('/audit', bearer(jwt));
    expect([response.status, response.body]).toEqual([
      403,
      { msg: 'You are not allowed to do this', code: 'forbidden' },
    ]);
    expect((await server.get('/audit')).status).toBe(401);
  });

  it('filters by subject, actor, action and time', async () => {
    const { id } = await server.register('Filtered');
    const { jwt } = await server.login('filtered');
    await server.login('filtered');
    await server.http.post('/logout').set('authorization', bearer(jwt)).expect(204);
    const events = await eventsOf(id);
    const actions = async (query: string) =>
      (await page(query)).events.map(({ action }) => action).reverse();
    expect(await actions(`actor=${id}`)).toEqual(['registered', 'login', 'login', 'logout']);
    expect(await actions(`subject=${id}&action=login`)).toEqual(['login', 'login']);
    expect((await page('action=logout')).events.every(({ action }) => action === 'logout')).toBe(
      true,
    );
    const [, second, , fourth] = events;
    const from = new Date(second?.at ?? '').toISOString();
    const to = new Date(fourth?.at ?? '').toISOString();
    const within = await page(`subject=${id}&from=${from}&to=${to}`);
    expect(within.events.length).toBe(events.filter(({ at }) => at >= from && at < to).length);
    const east = `${from.slice(0, -1)}%2B00:00`;
    expect(await page(`subject=${id}&from=${east}&to=${to}`)).toEqual(within);
  });

  it('goes through all rows a page at a time, also of one moment, none twice', async () => {
    const { id } = await server.register('Paged');
    const audit = server.app.get(AuditService, { strict: false });
    const database = server.app.get(Database, { strict: false });
    await database.transaction(async (manager) => {
      for (let i = 0; i < 25; i++) {
        await audit.record(manager, { action: 'user_updated', subjectId: id });
      }
      const createdAt = new Date();
      await manager.update(AuditEvent, { subjectId: id }, { createdAt });
    });
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor = ''; ;) {
      const { events, next } = await page(`subject=${id}&limit=10${cursor}`);
      seen.push(...events.map((event) => event.id));
      sizes.push(events.length);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(sizes).toEqual([10, 10, 6]);
    expect(new Set(seen).size).toBe(26);
    expect((await page(`subject=${id}&limit=26`)).next).toBeNull();
  });

  it.each([
    ['subject=me', 'The subject is the id of a user'],
    ['actor=%00', 'The actor is the id of a user'],
    ['action=drop', 'There is no such action'],
    ['from=yesterday', 'The from has to be a time such as 2030-12-31T12:00:00Z'],
    ['to=9', 'The to has to be a time such as 2030-12-31T12:00:00Z'],
    ['limit=0', 'The limit is a whole number from 1 to 100'],
    ['limit=101', 'The limit is a whole number from 1 to 100'],
    ['limit=1&limit=2', 'The limit is a whole number from 1 to 100'],
    ['cursor=1', 'The cursor is not one of this list'],
    [`cursor=1.${"'".repeat(36)}`, 'The cursor is not one of this list'],
  ])('refuses %s', async (query, msg) => {
    const response = await server.get(`/audit?${query}`, admin);
    expect([response.status, response.body]).toEqual([400, { msg, code: 'invalid_parameter' }]);
  });
});

it('records and finds an action of a project', async () => {
  const { id } = await server.register('keeper');
  await server.app
    .get(Database)
    .transaction((manager) =>
      server.app
        .get(AuditService, { strict: false })
        .record(manager, { action: 'cat.fed', subjectId: id }),
    );
  expect((await page('action=cat.fed')).events).toMatchObject([{ action: 'cat.fed', subject: id }]);
});

describe('a metric', () => {
  it('says how long rows wait to be sealed', async () => {
    await sealAll(server);
    const { text } = await server.http.get('/metrics');
    expect(text).toMatch(/^latchkey_audit_unsealed_seconds 0$/m);
  });
});
