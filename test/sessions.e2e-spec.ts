import { Client } from 'pg';
import { IsNull } from 'typeorm';
import { Metrics } from '../src/common/metrics.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { Revocation } from '../src/sessions/revocation.entity.js';
import { SessionCleanup } from '../src/sessions/session-cleanup.js';
import { Session } from '../src/sessions/session.entity.js';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

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

interface Tokens {
  jwt: string;
  refresh_token: string;
}
const bearer = (jwt: string) => `Bearer ${jwt}`;
const codeAt = async (jwt: string, from = server, path = '/protected') => {
  const response = await from.get(path, bearer(jwt));
  return response.status === 200 ? 200 : (response.body as { code: string }).code;
};
const refreshCode = async (token: string) => {
  const response = await server.http.post('/refresh').send({ refresh_token: token });
  return response.status === 200 ? 200 : (response.body as { code: string }).code;
};
const logout = (jwt: string, query = '', from = server) =>
  from.http.post(`/logout${query}`).set('authorization', bearer(jwt));
const sidOf = ({ refresh_token: token }: Tokens) => token.split('.')[0] ?? '';

/** Asks until the answer is `code`; resolves to how long that took, in milliseconds. */
async function timeUntil(code: string, jwt: string, from: Server, limit: number): Promise<number> {
  const began = performance.now();
  while ((await codeAt(jwt, from)) !== code) {
    if (performance.now() - began > limit) throw new Error(`no ${code} within ${limit} ms`);
  }
  return performance.now() - began;
}

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
        await manager.update(Session, { id: sidOf(tokens) }, { lastUsedAt });
      }
    });
    const fourth = await few.login('ada');
    const codes = [...sessions, fourth, bob].map(({ jwt }) => codeAt(jwt, few));
    expect(await Promise.all(codes)).toEqual([200, 'token_revoked', 200, 200, 200]);
    const [, ended] = sessions;
    const id = ended && sidOf(ended);
    const row = await few.withDatabase(({ manager }) => manager.findOneByOrFail(Session, { id }));
    expect(row.endReason).toBe('too_many_sessions');
    const shown = await few.get('/me/sessions', bearer(fourth.jwt)).expect(200);
    expect((shown.body as { sessions: unknown[] }).sessions).toHaveLength(3);
  });

  it('are never alive, however many logins come at once', async () => {
    await Promise.all(Array.from({ length: 16 }, () => few.login('ada')));
    expect(await living('Ada')).toHaveLength(3);
    const last = await few.login('ada');
    expect((await living('Ada')).map(({ id }) => id)).toContain(sidOf(last));
  });
});

describe('POST /logout', () => {
  it('ends the session and its access token, in the very next request', async () => {
    const one = await server.login('ada');
    const other = await server.login('ada');
    expect(await codeAt(one.jwt)).toBe(200);
    const response = await logout(one.jwt);
    expect([response.status, response.text]).toEqual([204, '']);
    expect(await codeAt(one.jwt)).toBe('token_revoked');
    expect((await server.get('/me', bearer(one.jwt))).headers['www-authenticate']).toBe(
      'Bearer error="invalid_token"',
    );
    expect(await refreshCode(one.refresh_token)).toBe('session_ended');
    expect((await logout(one.jwt)).status).toBe(401);
    expect(await codeAt(other.jwt)).toBe(200);
  });

  it('ends all others, or all', async () => {
    const [one, two, three] = [
      await server.login('ada'),
      await server.login('ada'),
      await server.login('ada'),
    ];
    await logout(one.jwt, '?scope=others').expect(204);
    expect(await Promise.all([one, two, three].map(({ jwt }) => codeAt(jwt)))).toEqual([
      200,
      'token_revoked',
      'token_revoked',
    ]);
    const four = await server.login('ada');
    await logout(one.jwt, '?scope=global').expect(204);
    expect(await codeAt(one.jwt)).toBe('token_revoked');
    expect(await codeAt(four.jwt)).toBe('token_revoked');
    expect(await refreshCode(four.refresh_token)).toBe('session_ended');
  });

  it('knows no other scope, and touches nobody else', async () => {
    await server.register('Bystander');
    const bystander = await server.login('bystander');
    const { jwt } = await server.login('ada');
    for (const scope of ['?scope=all', '?scope=', '?scope=local&scope=global']) {
      const response = await logout(jwt, scope);
      expect([response.status, response.body]).toEqual([
        400,
        { msg: 'The scope is local, global or others', code: 'invalid_parameter' },
      ]);
    }
    await logout(jwt, '?scope=global').expect(204);
    expect(await codeAt(bystander.jwt)).toBe(200);
  });

  it('gives 50 at once 204 or 401, and one end', async () => {
    const tokens = await server.login('ada');
    const statuses = await Promise.all(
      Array.from({ length: 50 }, () => logout(tokens.jwt).then(({ status }) => status)),
    );
    expect(statuses).toContain(204);
    expect(statuses.filter((status) => status !== 204 && status !== 401)).toEqual([]);
    const rows = await server.withDatabase((db) =>
      db.getRepository(Revocation).countBy({ sessionId: sidOf(tokens) }),
    );
    expect(rows).toBe(1);
  });
});

describe('another instance', () => {
  it(`refuses an ended session within ${databaseKind === 'postgres' ? '100 ms, by NOTIFY' : '2 s'}`, async () => {
    const limit = databaseKind === 'postgres' ? 100 : 2_000;
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { jwt } = await server.login('ada');
      expect(await codeAt(jwt, twin)).toBe(200);
      await logout(jwt).expect(204);
      times.push(await timeUntil('token_revoked', jwt, twin, 2_000));
    }
    // The median: a busy machine may hold up one of them.
    expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(limit);
  });

  it('learns what it missed when it starts', async () => {
    const { jwt } = await server.login('ada');
    await logout(jwt).expect(204);
    const late = await startServer({ DATABASE_URL: server.database.url });
    try {
      expect(await codeAt(jwt, late)).toBe('token_revoked');
    } finally {
      await late.stop();
    }
  });

  const onPostgres = databaseKind === 'postgres' ? it : () => undefined;
  onPostgres('finds it by asking where its listening connection was cut', async () => {
    const admin = new Client({ connectionString: server.database.url });
    await admin.connect();
    try {
      const { jwt } = await server.login('ada');
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'latchkey-listen' AND datname = current_database()`,
      );
      await logout(jwt).expect(204);
      expect(await timeUntil('token_revoked', jwt, twin, 2_000)).toBeLessThan(2_000);
    } finally {
      await admin.end();
    }
  });
});

const whereItCanBeTakenAway = databaseKind === 'postgres' ? describe : () => undefined;
whereItCanBeTakenAway('without its database', () => {
  it('holds what is known, takes good tokens, and says that it is not ready', async () => {
    const alone = await startServer();
    const name = new URL(alone.database.url).pathname.slice(1);
    const admin = new Client({ connectionString: process.env.TEST_DATABASE_URL });
    await admin.connect();
    try {
      await alone.register('ada');
      const [ended, living] = [await alone.login('ada'), await alone.login('ada')];
      await logout(ended.jwt, '', alone).expect(204);
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      const ready = await alone.http.get('/health/ready');
      expect([ready.status, (ready.body as { code: string }).code]).toEqual([503, 'not_ready']);
      expect(await codeAt(ended.jwt, alone)).toBe('token_revoked');
      expect(await codeAt(living.jwt, alone)).toBe(200);
    } finally {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await admin.end();
      await alone.stop();
    }
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
      { ...shown, id: sidOf(other), device: 'Unknown device', current: true },
      { ...shown, id: refreshToken.split('.')[0], device: 'Firefox on Linux', current: false },
    ]);
    const end = (id: string, by: string) =>
      server.http.delete(`/me/sessions/${id}`).set('authorization', bearer(by));
    const { jwt: foreign } = await server.login('ada');
    for (const [id, by] of [
      [sidOf(other), foreign],
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
    expect((await end(sidOf(other), jwt)).status).toBe(204);
    expect(await codeAt(other.jwt)).toBe('token_revoked');
    expect((await end(sidOf(other), jwt)).status).toBe(404);
    expect(await codeAt(jwt)).toBe(200);
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
    expect(await codeAt(two.jwt)).toBe(200);

    const body = { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD };
    expect((await change(one.jwt, body)).status).toBe(204);
    expect(await codeAt(one.jwt)).toBe(200);
    expect(await refreshCode(one.refresh_token)).toBe(200);
    expect(await codeAt(two.jwt)).toBe('token_revoked');
    expect(await refreshCode(two.refresh_token)).toBe('session_ended');
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
      if (token) expect(await refreshCode(token)).toBe('session_ended');
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

describe('changes of a user', () => {
  const changes = () => server.app.get(UserChangesService, { strict: false });

  it('ends everything of a disabled user, here and there, and lets an enabled one sign in', async () => {
    const { id } = await server.register('Banned');
    const tokens = await server.login('banned');
    expect(await codeAt(tokens.jwt)).toBe(200);
    expect(await changes().disable(id)).toBe(true);
    expect(await changes().disable(id)).toBe(false);
    expect(await codeAt(tokens.jwt)).toBe('token_revoked');
    expect(await timeUntil('token_revoked', tokens.jwt, twin, 2_000)).toBeLessThan(2_000);
    expect(await refreshCode(tokens.refresh_token)).toBe('session_ended');
    await expect(server.login('banned')).rejects.toThrow('user_disabled');
    expect(await changes().enable(id)).toBe(true);
    const fresh = await server.login('banned');
    expect(await codeAt(fresh.jwt)).toBe(200);
    expect(await codeAt(tokens.jwt)).toBe('token_revoked');
  });

  it('makes tokens of the old roles stale, and a refresh brings the new ones', async () => {
    const { id } = await server.register('Promoted');
    const tokens = await server.login('promoted');
    expect(await changes().setRoles(id, ['admin'])).toBe(true);
    expect(await codeAt(tokens.jwt)).toBe('token_stale');
    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: tokens.refresh_token });
    const { jwt } = refreshed.body as Tokens;
    const feed = server.http.post('/test-cats/feed').set('authorization', bearer(jwt));
    expect((await feed).status).toBe(201);
  });
});

describe('what is remembered', () => {
  it('shows in the metrics and in readiness', async () => {
    const text = await server.app.get(Metrics).registry.metrics();
    expect(text).toMatch(/^latchkey_revocations [1-9]\d*$/m);
    expect(Number(/^latchkey_revocation_lag_seconds (.+)$/m.exec(text)?.[1])).toBeLessThan(10);
    expect((await server.http.get('/health/ready')).body).toMatchObject({ revocations: 'ok' });
  });

  it('is removed from the database once no token is left for it', async () => {
    const { jwt, ...rest } = await server.login('ada');
    const { jwt: living } = await server.login('ada');
    await logout(jwt).expect(204);
    const old = new Date(Date.now() - 3_600_000);
    const id = sidOf({ jwt, ...rest });
    await server.withDatabase(async (db) => {
      await db.getRepository(Session).update({ id }, { endedAt: old });
      await db.getRepository(Revocation).update({ sessionId: id }, { revokedAt: old });
    });
    await server.app.get(SessionCleanup, { strict: false }).run();
    const left = await server.withDatabase(async (db) => [
      await db.getRepository(Session).countBy({ id }),
      await db.getRepository(Revocation).countBy({ sessionId: id }),
    ]);
    expect(left).toEqual([0, 0]);
    expect(await codeAt(living)).toBe(200);
  });
});
