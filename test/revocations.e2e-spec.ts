import { Client } from 'pg';
import { Metrics } from '../src/common/metrics.js';
import { Revocation } from '../src/sessions/revocation.entity.js';
import { SessionCleanup } from '../src/sessions/session-cleanup.js';
import { Session } from '../src/sessions/session.entity.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { databaseKind, onPostgres } from './support/databases.js';
import { bearer } from './support/http.js';
import { type Server, startServer } from './support/server.js';
import { codeAt, logout, refreshCode, timeUntil, type Tokens } from './support/sessions.js';
import { sessionOf } from './support/tokens.js';

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

describe('another instance', () => {
  it(`refuses an ended session within ${databaseKind() === 'postgres' ? '100 ms, by NOTIFY' : '2 s'}`, async () => {
    const limit = databaseKind() === 'postgres' ? 100 : 2_000;
    const times: number[] = [];
    for (let i = 0; i < 9; i++) {
      const { jwt } = await server.login('ada');
      expect(await codeAt(twin, jwt)).toBe(200);
      await logout(server, jwt).expect(204);
      times.push(await timeUntil(twin, 'token_revoked', jwt, 2_000));
    }
    // The third: a busy machine may hold up most of them, and by luck a poll is as quick once or twice.
    expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(limit);
  });

  it('learns what it missed when it starts', async () => {
    const { jwt } = await server.login('ada');
    await logout(server, jwt).expect(204);
    const late = await startServer({ DATABASE_URL: server.database.url });
    try {
      expect(await codeAt(late, jwt)).toBe('token_revoked');
    } finally {
      await late.stop();
    }
  });

  onPostgres('finds it by asking where its listening connection was cut', async () => {
    const admin = new Client({ connectionString: server.database.url });
    await admin.connect();
    try {
      const { jwt } = await server.login('ada');
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'latchkey-listen' AND datname = current_database()`,
      );
      await logout(server, jwt).expect(204);
      expect(await timeUntil(twin, 'token_revoked', jwt, 2_000)).toBeLessThan(2_000);
    } finally {
      await admin.end();
    }
  });
});

const whereItCanBeTakenAway = databaseKind() === 'postgres' ? describe : () => undefined;
whereItCanBeTakenAway('without its database', () => {
  it('holds what is known, takes good tokens, and says that it is not ready', async () => {
    const alone = await startServer();
    const name = new URL(alone.database.url).pathname.slice(1);
    const admin = new Client({ connectionString: process.env.TEST_DATABASE_URL });
    await admin.connect();
    try {
      await alone.register('ada');
      const [ended, living] = [await alone.login('ada'), await alone.login('ada')];
      await logout(alone, ended.jwt).expect(204);
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      const ready = await alone.http.get('/health/ready');
      expect([ready.status, (ready.body as { code: string }).code]).toEqual([503, 'not_ready']);
      expect(await codeAt(alone, ended.jwt)).toBe('token_revoked');
      expect(await codeAt(alone, living.jwt)).toBe(200);
    } finally {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await admin.end();
      await alone.stop();
    }
  });
});

describe('changes of a user', () => {
  const changes = () => server.app.get(UserChangesService, { strict: false });

  it('ends everything of a disabled user, here and there, and lets an enabled one sign in', async () => {
    const { id } = await server.register('Banned');
    const tokens = await server.login('banned');
    expect(await codeAt(server, tokens.jwt)).toBe(200);
    expect(await changes().disable(id)).toBe(true);
    expect(await changes().disable(id)).toBe(false);
    expect(await codeAt(server, tokens.jwt)).toBe('token_revoked');
    expect(await timeUntil(twin, 'token_revoked', tokens.jwt, 2_000)).toBeLessThan(2_000);
    expect(await refreshCode(server, tokens.refresh_token)).toBe('session_ended');
    await expect(server.login('banned')).rejects.toThrow('user_disabled');
    expect(await changes().enable(id)).toBe(true);
    const fresh = await server.login('banned');
    expect(await codeAt(server, fresh.jwt)).toBe(200);
    expect(await codeAt(server, tokens.jwt)).toBe('token_revoked');
  });

  it('makes tokens of the old roles stale, and a refresh brings the new ones', async () => {
    const { id } = await server.register('Promoted');
    const tokens = await server.login('promoted');
    expect(await changes().setRoles(id, ['admin'])).toBe(true);
    expect(await codeAt(server, tokens.jwt)).toBe('token_stale');
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
    const ended = await server.login('ada');
    const { jwt: living } = await server.login('ada');
    await logout(server, ended.jwt).expect(204);
    const old = new Date(Date.now() - 3_600_000);
    const id = sessionOf(ended.refresh_token);
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
    expect(await codeAt(server, living)).toBe(200);
  });
});
