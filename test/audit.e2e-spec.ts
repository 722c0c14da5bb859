import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { AuditService } from '../src/audit/audit.service.js';
import { runInContext } from '../src/common/request-context.js';
import { Database } from '../src/database/database.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { sealAll } from './support/audit.js';
import { type AuditReader, auditReader } from './support/audit-reader.js';
import { bearer } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { forge, sessionOf } from './support/tokens.js';

const NEW_PASSWORD = 'another correct horse battery';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let server: Server;
let reader: AuditReader;
beforeAll(async () => {
  server = await startServer();
  reader = await auditReader(server);
});
afterAll(() => server.stop());

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
    const events = await reader.eventsOf(id);
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
        details: { session: sessionOf(refreshToken), amr: 'pwd' },
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
    const delete_ = server.http.delete(`/me/sessions/${sessionOf(two.refresh_token)}`);
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
      (await reader.eventsOf(id)).map(({ action, actor, details }) => [action, actor, details]),
    ).toEqual([
      ['registered', id, {}],
      ...[one, two, three].map((tokens) => [
        'login',
        id,
        { session: sessionOf(tokens.refresh_token), amr: 'pwd' },
      ]),
      ['session_ended', id, { session: sessionOf(two.refresh_token) }],
      ['password_changed', id, { sessions: 1 }],
      ['login', id, { session: sessionOf(four.refresh_token), amr: 'pwd' }],
      ['logout', id, { sessions: 1 }],
      ['logout', id, { session: sessionOf(four.refresh_token) }],
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
    const events = (await reader.eventsOf(id)).filter(({ action }) => action === 'refresh_reuse');
    expect(events.map(({ actor, details }) => [actor, details])).toEqual([
      [null, { session: sessionOf(first) }],
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
    const events = await reader.eventsOf(id);
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
    expect((await reader.eventsOf(id)).at(-1)).toMatchObject({
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
      sessionOf((body as { refresh_token: string }).refresh_token),
    ]);
    const logins = (await reader.eventsOf(id)).filter(({ action }) => action === 'login');
    const found = logins.map(({ userAgent, requestId, details }) => [
      userAgent,
      requestId,
      (details as { session: string }).session,
    ]);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  it('is not there where the change is not', async () => {
    const { id } = await server.register('Taken');
    const before = (await reader.page('action=registered&limit=100')).events.length;
    const again = await server.http
      .post('/register')
      .send({ username: 'taken', password: GOOD_PASSWORD });
    expect(again.status).toBe(409);
    expect((await reader.page('action=registered&limit=100')).events).toHaveLength(before);
    const database = server.app.get(Database, { strict: false });
    const audit = server.app.get(AuditService, { strict: false });
    const undone = database.transaction(async (manager) => {
      await audit.record(manager, { action: 'user_updated', subjectId: id });
      throw new Error('and then it went wrong');
    });
    await expect(undone).rejects.toThrow('went wrong');
    expect((await reader.eventsOf(id)).map(({ action }) => action)).toEqual(['registered']);
  });

  it('takes no login that could not be recorded', async () => {
    const { id } = await server.register('Unseen');
    const audit = server.app.get(AuditService, { strict: false });
    const failing = jest.spyOn(audit, 'record').mockRejectedValueOnce(new Error('no room'));
    const login = () =>
      server.http.post('/login').send({ username: 'unseen', password: GOOD_PASSWORD });
    expect((await login()).status).toBe(500);
    failing.mockRestore();
    expect((await login()).status).toBe(200);
    expect((await reader.eventsOf(id)).map(({ action }) => action)).toEqual([
      'registered',
      'login',
    ]);
    const { jwt } = await server.login('unseen');
    const list = await server.get('/me/sessions', bearer(jwt));
    expect((list.body as { sessions: unknown[] }).sessions).toHaveLength(2);
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
    const events = await reader.eventsOf(id);
    const actions = async (query: string) =>
      (await reader.page(query)).events.map(({ action }) => action).reverse();
    expect(await actions(`actor=${id}`)).toEqual(['registered', 'login', 'login', 'logout']);
    expect(await actions(`subject=${id}&action=login`)).toEqual(['login', 'login']);
    expect(
      (await reader.page('action=logout')).events.every(({ action }) => action === 'logout'),
    ).toBe(true);
    const [, second, , fourth] = events;
    const from = new Date(second?.at ?? '').toISOString();
    const to = new Date(fourth?.at ?? '').toISOString();
    const within = events.filter(({ at }) => at >= from && at < to).map(({ action }) => action);
    expect(await actions(`subject=${id}&from=${from}&to=${to}`)).toEqual(within);
    const east = `${from.slice(0, -1)}%2B00:00`;
    expect(await actions(`subject=${id}&from=${east}&to=${to}`)).toEqual(within);
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
      const { events, next } = await reader.page(`subject=${id}&limit=10${cursor}`);
      seen.push(...events.map((event) => event.id));
      sizes.push(events.length);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(sizes).toEqual([10, 10, 6]);
    expect(new Set(seen).size).toBe(26);
    expect((await reader.page(`subject=${id}&limit=26`)).next).toBeNull();
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
    const response = await server.get(`/audit?${query}`, reader.authorization);
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
  expect((await reader.page('action=cat.fed')).events).toMatchObject([
    { action: 'cat.fed', subject: id },
  ]);
});

describe('a metric', () => {
  it('says how long rows wait to be sealed', async () => {
    await sealAll(server);
    const { text } = await server.http.get('/metrics');
    expect(text).toMatch(/^latchkey_audit_unsealed_seconds 0$/m);
  });
});
