import { IsNull } from 'typeorm';
import { Revocation } from '../src/sessions/revocation.entity.js';
import { Session } from '../src/sessions/session.entity.js';
import { bearer } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { codeAt, logout, refreshCode, type Tokens } from './support/sessions.js';
import { sessionOf } from './support/tokens.js';

const NEW_PASSWORD = 'another horse with a battery';

let server: Server;
let twin: Server;
beforeAll(async () => {
  server = await startServer();
  twin = await startServer({ DATABASE_URL: server.database.url });
  await server.register('Ada');
});
afterAll(async () => {
  await twin.stop();
  await server.stop();
});

describe('more sessions of a user than SESSIONS_PER_USER', () => {
  let few: Server;
  beforeAll(async () => {
    few = await startServer({ SESSIONS_PER_USER: '3' });
    await few.register('Ada');
    await few.register('Bob');
  });
  afterAll(() => few.stop());

  const living = (username: string) =>
    few.withDatabase(({ manager }) =>
      manager.find(Session, { where: { user: { username }, endedAt: IsNull() } }),
    );

  it('end the one that was not used for the longest, with its access token', async () => {
    const bob = await few.login('bob');
    const sessions = [await few.login('ada'), await few.login('ada'), await few.login('ada')];
    await few.withDatabase(async ({ manager }) => {
      for (const [i, tokens] of sessions.entries()) {
        // The first was used last; another instance's clock is ahead of this one's.
        const lastUsedAt = new Date(Date.now() + 60_000 * (i === 0 ? 9 : i));
        await manager.update(Session, { id: sessionOf(tokens.refresh_token) }, { lastUsedAt });
      }
    });
    const fourth = await few.login('ada');
    const codes = [...sessions, fourth, bob].map(({ jwt }) => codeAt(few, jwt));
    expect(await Promise.all(codes)).toEqual([200, 'token_revoked', 200, 200, 200]);
    const [, ended] = sessions;
    const id = ended && sessionOf(ended.refresh_token);
    const row = await few.withDatabase(({ manager }) => manager.findOneByOrFail(Session, { id }));
    expect(row.endReason).toBe('too_many_sessions');
    const shown = await few.get('/me/sessions', bearer(fourth.jwt)).expect(200);
    expect((shown.body as { sessions: unknown[] }).sessions).toHaveLength(3);
  });

  it('are never alive, however many logins come at once', async () => {
    await Promise.all(Array.from({ length: 16 }, () => few.login('ada')));
    expect(await living('Ada')).toHaveLength(3);
    const last = await few.login('ada');
    expect((await living('Ada')).map(({ id }) => id)).toContain(sessionOf(last.refresh_token));
  });
});

describe('POST /logout', () => {
  it('ends the session and its access token, in the very next request', async () => {
    const one = await server.login('ada');
    const other = await server.login('ada');
    expect(await codeAt(server, one.jwt)).toBe(200);
    const response = await logout(server, one.jwt);
    expect([response.status, response.text]).toEqual([204, '']);
    expect(await codeAt(server, one.jwt)).toBe('token_revoked');
    expect((await server.get('/me', bearer(one.jwt))).headers['www-authenticate']).toBe(
      'Bearer error="invalid_token"',
    );
    expect(await refreshCode(server, one.refresh_token)).toBe('session_ended');
    expect((await logout(server, one.jwt)).status).toBe(401);
    expect(await codeAt(server, other.jwt)).toBe(200);
  });

  it('ends all others, or all', async () => {
    const [one, two, three] = [
      await server.login('ada'),
      await server.login('ada'),
      await server.login('ada'),
    ];
    await logout(server, one.jwt, '?scope=others').expect(204);
    expect(await Promise.all([one, two, three].map(({ jwt }) => codeAt(server, jwt)))).toEqual([
      200,
      'token_revoked',
      'token_revoked',
    ]);
    const four = await server.login('ada');
    await logout(server, one.jwt, '?scope=global').expect(204);
    expect(await codeAt(server, one.jwt)).toBe('token_revoked');
    expect(await codeAt(server, four.jwt)).toBe('token_revoked');
    expect(await refreshCode(server, four.refresh_token)).toBe('session_ended');
  });

  it('knows no other scope, and touches nobody else', async () => {
    await server.register('Bystander');
    const bystander = await server.login('bystander');
    const { jwt } = await server.login('ada');
    for (const scope of ['?scope=all', '?scope=', '?scope=local&scope=global']) {
      const response = await logout(server, jwt, scope);
      expect([response.status, response.body]).toEqual([
        400,
        { msg: 'The scope is local, global or others', code: 'invalid_parameter' },
      ]);
    }
    await logout(server, jwt, '?scope=global').expect(204);
    expect(await codeAt(server, bystander.jwt)).toBe(200);
  });

  it('gives 50 at once 204 or 401, and one end', async () => {
    const tokens = await server.login('ada');
    const statuses = await Promise.all(
      Array.from({ length: 50 }, () => logout(server, tokens.jwt).then(({ status }) => status)),
    );
    expect(statuses).toContain(204);
    expect(statuses.filter((status) => status !== 204 && status !== 401)).toEqual([]);
    const rows = await server.withDatabase((db) =>
      db.getRepository(Revocation).countBy({ sessionId: sessionOf(tokens.refresh_token) }),
    );
    expect(rows).toBe(1);
  });
});

describe('/me/sessions', () => {
  it('lists living sessions in words, and ends one', async () => {
    await server.register('Lister');
    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    const body = { username: 'lister', password: GOOD_PASSWORD };
    const first = await server.http.post('/login').set('user-agent', firefox).send(body);
    const { jwt, refresh_token: refreshToken } = first.body as Tokens;
    const other = await server.login('lister');
    const response = await server.get('/me/sessions', bearer(other.jwt));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
    const shown = {
      createdAt: time,
      lastUsedAt: time,
      expiresAt: time,
      address: expect.stringMatching(/127\.0\.0\.1$/) as string,
      amr: ['pwd'],
      acr: 'urn:latchkey:aal1',
    };
    expect(response.status).toBe(200);
    const { sessions } = response.body as { sessions: { current: boolean }[] };
    expect(sessions.toSorted((a, b) => Number(b.current) - Number(a.current))).toEqual([
      { ...shown, id: sessionOf(other.refresh_token), device: 'Unknown device', current: true },
      { ...shown, id: sessionOf(refreshToken), device: 'Firefox on Linux', current: false },
    ]);
    const end = (id: string, by: string) =>
      server.http.delete(`/me/sessions/${id}`).set('authorization', bearer(by));
    const { jwt: foreign } = await server.login('ada');
    for (const [id, by] of [
      [sessionOf(other.refresh_token), foreign],
      ['nope', jwt],
      ['%00', jwt],
      [encodeURIComponent("' OR 1=1 --"), jwt],
    ] as const) {
      const refused = await end(id, by);
      expect([refused.status, refused.body]).toEqual([
        404,
        { msg: 'There is no such session', code: 'not_found' },
      ]);
    }
    expect((await end(sessionOf(other.refresh_token), jwt)).status).toBe(204);
    expect(await codeAt(server, other.jwt)).toBe('token_revoked');
    expect((await end(sessionOf(other.refresh_token), jwt)).status).toBe(404);
    expect(await codeAt(server, jwt)).toBe(200);
  });
});

describe('PUT /me/password', () => {
  const change = (jwt: string, body: object) =>
    server.http.put('/me/password').set('authorization', bearer(jwt)).send(body);

  it('asks for the present one and ends all other sessions', async () => {
    await server.register('Changer');
    const one = await server.login('changer');
    const two = await server.login('changer');
    const wrong = await change(one.jwt, { current_password: 'nope', new_password: NEW_PASSWORD });
    expect([wrong.status, wrong.body]).toEqual([
      403,
      { msg: 'The current password is wrong', code: 'wrong_password' },
    ]);
    const weak = await change(one.jwt, {
      current_password: GOOD_PASSWORD,
      new_password: 'changer1',
    });
    expect([weak.status, (weak.body as { code: string }).code]).toEqual([400, 'weak_password']);
    expect(await codeAt(server, two.jwt)).toBe(200);

    const body = { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD };
    expect((await change(one.jwt, body)).status).toBe(204);
    expect(await codeAt(server, one.jwt)).toBe(200);
    expect(await refreshCode(server, one.refresh_token)).toBe(200);
    expect(await codeAt(server, two.jwt)).toBe('token_revoked');
    expect(await refreshCode(server, two.refresh_token)).toBe('session_ended');
    await expect(server.login('changer')).rejects.toThrow('bad_credentials');
    await expect(server.login('changer', NEW_PASSWORD)).resolves.toBeDefined();
  });

  it('leaves no session of a login that was under way with the old password', async () => {
    await server.register('Racer');
    const { jwt } = await server.login('racer');
    const logins = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? server : twin).http
        .post('/login')
        .send({ username: 'racer', password: GOOD_PASSWORD }),
    );
    const racing = Promise.all(logins.map((login) => login.then(({ body }) => body as Tokens)));
    const body = { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD };
    expect((await change(jwt, body)).status).toBe(204);
    for (const { refresh_token: token } of await racing) {
      if (token) expect(await refreshCode(server, token)).toBe('session_ended');
    }
    const list = await server.get('/me/sessions', bearer(jwt));
    expect((list.body as { sessions: unknown[] }).sessions).toHaveLength(1);
  });

  it('lets one of several changes at once win', async () => {
    await server.register('Twice');
    const { jwt } = await server.login('twice');
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        change(jwt, { current_password: GOOD_PASSWORD, new_password: `${NEW_PASSWORD} ${i}` }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => ![204, 403, 409].includes(status))).toEqual([]);
    const winner = statuses.indexOf(204);
    await expect(server.login('twice', `${NEW_PASSWORD} ${winner}`)).resolves.toBeDefined();
  });
});
