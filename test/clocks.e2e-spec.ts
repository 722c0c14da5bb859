import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, type JwtPayload } from 'jsonwebtoken';
import request from 'supertest';
import { type DataSource, IsNull } from 'typeorm';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { databaseKind, type FreshDatabase } from './support/databases.js';
import { outcomeOf } from './support/http.js';
import { freshInstances, type Instances } from './support/instances.js';
import { readMail } from './support/mailbox.js';
import { until } from './support/wait.js';
import { runTool } from './support/server-tools.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import type { ServerProcess } from './support/server-process.js';

/** For many processes on a busy machine, in milliseconds. */
const TEST_TIMEOUT = 300_000;
const MINUTE = 60_000;

/** How far the clock of each instance is off, in minutes; a file is one machine's, so all have one clock. */
const OFFSETS = databaseKind() === 'postgres' ? [0, 2, -2, 10, -10] : [0];

interface Tokens {
  jwt: string;
  refresh_token: string;
}

const faketime = process.env.TEST_FAKETIME;
if (faketime === undefined)
  it.skip('wrong clocks (left out: faketime is not installed)', () => undefined);
else {
  let shared: Instances;
  let database: FreshDatabase;
  let dataSource: DataSource;
  let cwd: string;
  let urls: string[];
  let users = 0;

  /** Sets the machine's clock of the instance `index` to so many minutes off. */
  const setClock = (index: number, minutes: number) =>
    writeFile(join(cwd, `clock-${index}`), `${minutes < 0 ? '' : '+'}${minutes}m`);

  beforeAll(async () => {
    shared = await freshInstances();
    ({ database, dataSource, cwd } = shared);
    const instances: ServerProcess[] = [];
    for (const [index, offset] of OFFSETS.entries()) {
      await setClock(index, offset);
      const started = shared.start({
        DATABASE_URL: database.url,
        DATA_DIR: join(cwd, 'data'),
        JWT_SECRET_KEY: SECRET,
        // Only requests with X-Forwarded-For count for limits here.
        TRUST_PROXY: '1',
        RATE_LIMITS: 'login=3/1m',
        LD_PRELOAD: faketime,
        FAKETIME_TIMESTAMP_FILE: join(cwd, `clock-${index}`),
        FAKETIME_NO_CACHE: '1',
        // Setting a machine's time of day does not touch its monotonic clock.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      });
      instances.push(started);
      await started.listening;
    }
    urls = await Promise.all(instances.map(({ listening }) => listening));
  }, TEST_TIMEOUT);
  afterAll(() => shared.end());

  const register = async (url: string) => {
    const username = `user${++users}`;
    const body = { username, password: GOOD_PASSWORD, email: `${username}@example.com` };
    await request(url).post('/register').send(body).expect(201);
    return username;
  };
  const login = async (url: string, username: string) => {
    const body = { username, password: GOOD_PASSWORD };
    return (await request(url).post('/login').send(body).expect(200)).body as Tokens;
  };
  const protectedRoute = (url: string, { jwt }: Tokens) =>
    request(url).get('/protected').auth(jwt, { type: 'bearer' });
  const refresh = (url: string, { refresh_token }: Tokens) =>
    request(url).post('/refresh').send({ refresh_token });
  const logout = (url: string, { jwt }: Tokens) =>
    request(url).post('/logout').auth(jwt, { type: 'bearer' });
  const mailedCode = (username: string, subject: RegExp) =>
    until(async () => {
      const folder = join(cwd, 'data', 'outbox');
      const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.eml'));
      const mails = await Promise.all(
        files.map(async (file) => readMail(await readFile(join(folder, file)))),
      );
      const own = mails.filter(({ to }) => to === `${username}@example.com`);
      return own.find((mail) => subject.test(mail.subject))?.token;
    }, `a link for ${username}`);

  /** Everything that goes by a time, on `at`, with all others to look at it. */
  async function expectCorrect(at: string): Promise<void> {
    const username = await register(at);
    const before = Date.now();
    const tokens = await login(at, username);
    const { iat = 0, exp = 0 } = decode(tokens.jwt) as JwtPayload;
    expect(Math.abs(iat * 1000 - before)).toBeLessThan(MINUTE);
    expect(exp - iat).toBe(900);
    for (const url of urls) await protectedRoute(url, tokens).expect(200);

    // A refresh, the second tab, and a token that comes back after the window.
    const refreshed = (await refresh(at, tokens).expect(200)).body as Tokens;
    for (const url of urls) await protectedRoute(url, refreshed).expect(200);
    await refresh(at, refreshed).expect(200);
    await until(
      async () => (await outcomeOf(refresh(at, tokens)))[1] === 'refresh_token_reused',
      'a reuse that is found',
    );
    for (const url of urls) await refusedSoon(url, refreshed);

    // What ends here is refused everywhere, though others ended something in between.
    const ended = await login(at, username);
    const others = await Promise.all(urls.map((url) => login(url, username)));
    await logout(at, ended).expect(204);
    for (const url of urls) await refusedSoon(url, ended);
    for (const [index, own] of others.entries()) {
      await logout(urls[index] ?? '', own).expect(204);
      for (const url of urls) await refusedSoon(url, own);
    }

    // A mailed link, on any instance, once.
    await request(at)
      .post('/password/forgot')
      .send({ email: `${username}@example.com` })
      .expect(202);
    const token = await mailedCode(username, /password/i);
    const body = { token, password: `${GOOD_PASSWORD} anew` };
    const resets = await Promise.all(
      urls.map((url) => outcomeOf(request(url).post('/password/reset').send(body))),
    );
    expect(resets.filter(([status]) => status === 200 || status === 204)).toHaveLength(1);
  }

  const refusedSoon = (url: string, tokens: Tokens) =>
    until(
      async () => (await outcomeOf(protectedRoute(url, tokens)))[1] === 'token_revoked',
      'a token that is refused',
    );

  /** Logs in from an address of its own until the limit is reached; resolves to `Retry-After`. */
  async function reachLimit(url: string, address: string, attempts: number): Promise<number> {
    for (let i = 0; i < attempts; i++) await attempt(url, address).expect(401);
    const response = await attempt(url, address).expect(429);
    return Number(response.headers['retry-after']);
  }
  const attempt = (url: string, address: string) =>
    request(url)
      .post('/login')
      .set('x-forwarded-for', address)
      .send({ username: `nobody-${address}`, password: 'wrong' });

  /** The audit is whole, and of the present. */
  async function expectWholeAudit(): Promise<void> {
    const events = dataSource.getRepository(AuditEvent);
    await until(async () => (await events.countBy({ seq: IsNull() })) === 0, 'the audit');
    const rows = await events.find();
    // SQLite has no other clock than the machine's.
    for (const { createdAt } of databaseKind() === 'postgres' ? rows : []) {
      expect(Math.abs(createdAt.getTime() - Date.now())).toBeLessThan(TEST_TIMEOUT);
    }
    const env = { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET };
    const { code, stdout } = await runTool(cwd, ['audit', 'verify'], env);
    expect([code, stdout]).toEqual([0, expect.stringContaining('The audit is intact')]);
  }

  const where =
    databaseKind() === 'postgres' ? 'instances whose clocks are minutes apart' : 'a server';

  it(
    `has ${where} agree on revocation, refresh, links, limits and audit`,
    async () => {
      for (const url of urls) await expectCorrect(url);
      for (const [index, url] of urls.entries()) {
        expect(await reachLimit(url, `203.0.113.${index}`, 3)).toBeLessThanOrEqual(60);
      }
      await expectWholeAudit();
    },
    TEST_TIMEOUT,
  );

  it.each([-10, 10, 0])(
    'does not notice that its machine is set to %i minutes off while it runs',
    async (minutes) => {
      const at = urls[0] ?? '';
      const username = await register(at);
      const [kept, ended] = [await login(at, username), await login(at, username)];
      await logout(at, ended).expect(204);
      const address = `198.51.100.${100 + minutes}`;
      await reachLimit(at, address, 3);

      await setClock(0, minutes);
      expect(await reachLimit(at, address, 0)).toBeLessThanOrEqual(60);
      expect(await outcomeOf(protectedRoute(at, ended))).toEqual([401, 'token_revoked']);
      await protectedRoute(at, kept).expect(200);
      await refresh(at, kept).expect(200);
      if (databaseKind() === 'postgres') await expectCorrect(at);
      else await expectOwnTime(at);
      await expectWholeAudit();
    },
    TEST_TIMEOUT,
  );

  /** On SQLite the clock is the machine's: a session goes on, and a reused refresh token ends it. */
  async function expectOwnTime(at: string): Promise<void> {
    const username = await register(at);
    const tokens = await login(at, username);
    const refreshed = (await refresh(at, tokens).expect(200)).body as Tokens;
    await protectedRoute(at, refreshed).expect(200);
    await refresh(at, refreshed).expect(200);
    await until(
      async () => (await outcomeOf(refresh(at, tokens)))[1] === 'refresh_token_reused',
      'a reuse that is found',
    );
    await refusedSoon(at, refreshed);
  }
}
