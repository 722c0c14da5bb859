import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import request from 'supertest';
import type { DataSource } from 'typeorm';
import { Session } from '../src/sessions/session.entity.js';
import { databaseKind, type FreshDatabase, onPostgres } from './support/databases.js';
import { freshInstances, type Instances } from './support/instances.js';
import { GOOD_PASSWORD } from './support/server.js';
import type { ServerProcess } from './support/server-process.js';
import { until } from './support/wait.js';

/** The third instance's clock is as far ahead as it may be, in milliseconds. */
const AHEAD = 30_000;
const CLOCK = `
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...values) {
      super(...(values.length > 0 ? values : [RealDate.now() + ${AHEAD}]));
    }
    static now() {
      return RealDate.now() + ${AHEAD};
    }
  };`;

/** For processes that start on a busy machine, in milliseconds. */
const TEST_TIMEOUT = 120_000;
const user = { username: 'ada', password: GOOD_PASSWORD };

interface Tokens {
  jwt: string;
  refresh_token: string;
}

let shared: Instances;
let database: FreshDatabase;
let dataSource: DataSource;
let cwd: string;
let instances: ServerProcess[];
let urls: [string, string, string];

beforeAll(async () => {
  shared = await freshInstances();
  ({ database, dataSource, cwd } = shared);
  // At the same moment, on an empty database; they also have to agree on one made secret.
  const env = { DATABASE_URL: database.url, DATA_DIR: join(cwd, 'data') };
  const clock = join(cwd, 'clock.cjs');
  await writeFile(clock, CLOCK);
  const ahead = { ...env, NODE_OPTIONS: `--require ${clock}` };
  instances = [env, env, ahead].map((settings) => shared.start(settings));
  urls = (await Promise.all(instances.map(({ listening }) => listening))) as typeof urls;
}, TEST_TIMEOUT);
afterAll(() => shared.end());

const login = async (url: string) => {
  const response = await request(url).post('/login').send(user).expect(200);
  return response.body as Tokens;
};
const refresh = (url: string, { refresh_token }: Tokens) =>
  request(url).post('/refresh').send({ refresh_token });
const protectedRoute = (url: string, { jwt }: Tokens) =>
  request(url).get('/protected').auth(jwt, { type: 'bearer' });
const logout = (url: string, { jwt }: Tokens) =>
  request(url).post('/logout').auth(jwt, { type: 'bearer' });

/** Asks until the token is refused; resolves to when the last good answer was asked for, in milliseconds. */
async function timeUntilRefused(url: string, tokens: Tokens): Promise<number> {
  const began = performance.now();
  for (let last = 0; ;) {
    const asked = performance.now() - began;
    const { status, body } = (await protectedRoute(url, tokens)) as {
      status: number;
      body: object;
    };
    if (status !== 200) {
      const revoked = { msg: 'The token has been revoked', code: 'token_revoked' };
      expect([status, body]).toEqual([401, revoked]);
      return last;
    }
    last = asked;
    if (last > 10_000) throw new Error('not refused within 10 s');
    await setTimeout(2);
  }
}

/** The middle one of three: a busy machine may hold up one. */
/** The third shortest time: a busy machine may hold up most, and by luck a poll is as quick once or twice. */
const third = (times: number[]) => times.toSorted((a, b) => a - b)[2];

/** Signs in on one instance and out on the first, until each of the others has refused it. */
async function timesToRefuse(rounds: number): Promise<number[]> {
  const [first, ...others] = urls;
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const tokens = await login(first);
    for (const url of urls) await protectedRoute(url, tokens).expect(200);
    await logout(first, tokens).expect(204);
    expect((await protectedRoute(first, tokens)).status).toBe(401);
    const slowest = others.map((url) => timeUntilRefused(url, tokens));
    times.push(Math.max(...(await Promise.all(slowest))));
  }
  return times;
}

describe('three instances that started at once on an empty database', () => {
  it('ran each migration once', async () => {
    const ran = await dataSource.query<{ name: string }[]>(
      'SELECT name FROM migrations ORDER BY id',
    );
    expect(ran.map(({ name }) => name)).toEqual(
      dataSource.migrations.map((migration) => migration.constructor.name),
    );
    for (const instance of instances) expect(instance.output()).not.toMatch(/"level":[56]0/);
  });

  it('serve one user: register, login, /protected, refresh and logout on whichever', async () => {
    const [first, second, third] = urls;
    await request(first).post('/register').send(user).expect(201);
    const tokens = await login(first);
    expect((await protectedRoute(second, tokens)).body).toEqual({ hello_from: 'ada' });
    const refreshed = (await refresh(third, tokens).expect(200)).body as Tokens;
    expect((await protectedRoute(second, refreshed)).body).toEqual({ hello_from: 'ada' });
    await logout(first, refreshed).expect(204);
    const refusals = urls.flatMap((url) => [
      timeUntilRefused(url, tokens),
      timeUntilRefused(url, refreshed),
    ]);
    for (const time of await Promise.all(refusals)) expect(time).toBeLessThan(2_000);
    for (const url of urls) {
      const response = await refresh(url, refreshed);
      expect([response.status, (response.body as { code: string }).code]).toEqual([
        401,
        'session_ended',
      ]);
    }
  });

  it(`refuse what another ended within ${databaseKind() === 'postgres' ? '100 ms, by NOTIFY' : '2 s'}`, async () => {
    const limit = databaseKind() === 'postgres' ? 100 : 2_000;
    expect(third(await timesToRefuse(9))).toBeLessThan(limit);
  });

  onPostgres(
    'refuse it within 2 s where no NOTIFY reaches them, and then listen again',
    async () => {
      const listeners = `FROM pg_stat_activity
      WHERE application_name = 'latchkey-listen' AND datname = current_database()`;
      const state = { measuring: true };
      const measured = timesToRefuse(5).finally(() => {
        state.measuring = false;
      });
      // They listen again within a second, so over and over.
      while (state.measuring) {
        await dataSource.query(`SELECT pg_terminate_backend(pid) ${listeners}`);
        await setTimeout(20);
      }
      expect(third(await measured)).toBeLessThan(2_000);
      await until(
        async () => (await dataSource.query<object[]>(`SELECT 1 ${listeners}`)).length >= 3,
        'three connections that listen',
      );
      expect(third(await timesToRefuse(9))).toBeLessThan(100);
    },
  );

  it('take tokens of an instance whose clock is 30 s ahead, and give it good ones', async () => {
    const [first, second, third] = urls;
    for (const [issuer, others] of [
      [third, [first, second]],
      [first, [third]],
    ] as const) {
      const tokens = await login(issuer);
      for (const url of others) await protectedRoute(url, tokens).expect(200);
      const refreshed = (await refresh(issuer, tokens).expect(200)).body as Tokens;
      for (const url of others) {
        await protectedRoute(url, refreshed).expect(200);
        // The second tab.
        const again = (await refresh(url, tokens).expect(200)).body as Tokens;
        expect(again.refresh_token).toBe(refreshed.refresh_token);
      }
    }
  });

  it('give 50 refreshes of one token at once the same successor, and one living session', async () => {
    const tokens = await login(urls[0]);
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, i) => refresh(urls[(i % 3) as 0 | 1 | 2], tokens)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array<number>(50).fill(200));
    const successors = responses.map(({ body }) => (body as Tokens).refresh_token);
    expect(new Set(successors).size).toBe(1);
    const [id = ''] = tokens.refresh_token.split('.');
    const session = await dataSource.getRepository(Session).findOneByOrFail({ id });
    expect(session).toMatchObject({ refreshGeneration: 1, endedAt: null });
  });

  it('go on when one of them is killed, with its sessions and what it ended', async () => {
    const [first, second, third] = urls;
    const [living, ended] = [await login(third), await login(third)];
    await logout(third, ended).expect(204);
    instances[2]?.child.kill('SIGKILL');
    await instances[2]?.exit;
    for (const url of [first, second]) {
      await protectedRoute(url, living).expect(200);
      expect(await timeUntilRefused(url, ended)).toBeLessThan(2_000);
      await refresh(url, living).expect(200);
    }
  });
});
