import { setTimeout } from 'node:timers/promises';
import { ApiError } from '../src/common/api-error.js';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { Metrics } from '../src/common/metrics.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { User } from '../src/users/user.entity.js';
import { type FreshRedis, freshRedis, proxyOf, redisServer } from './support/redis.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const TOO_MANY = { msg: 'Too many requests', code: 'too_many_requests' };
const HOME = '198.51.100.1';

/** Puts the clients behind a proxy, so that a test says where a request comes from. */
const LIMITED = { NODE_ENV: 'test', TRUST_PROXY: '1', RATE_LIMITS: 'login=1000/1m' };

interface PasswordInternals {
  compare(password: string, hash: string): Promise<boolean>;
  verify(...given: unknown[]): Promise<boolean>;
}
const passwordsOf = (server: Server) =>
  server.app.get<unknown>(PasswordsService) as PasswordInternals;

/** The tests' own network of so many addresses. */
let lastAddress = 0;
const newAddress = () => `203.0.${Math.floor(++lastAddress / 250)}.${lastAddress % 250}`;

const post = (server: Server, path: string, body: unknown, from: string) =>
  server.http
    .post(path)
    .set('x-forwarded-for', from)
    .send(body as object);
const login = (server: Server, username: string, password: string, from: string) =>
  post(server, '/login', { username, password }, from);
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status;
const wrong = (server: Server, username: string, from: string) =>
  statusOf(login(server, username, 'wrong password', from));
const right = (server: Server, username: string, from: string) =>
  statusOf(login(server, username, GOOD_PASSWORD, from));

/** How often each status is among `statuses`. */
const tally = (statuses: number[]) => {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe.each(redisServer ? ['memory', 'redis'] : ['memory'])('limits in %s', (store) => {
  const redises: FreshRedis[] = [];
  const servers: Server[] = [];

  /** A server with these limits, counting apart from every other test's. */
  async function limited(settings: Record<string, string> = {}): Promise<Server> {
    const redis = store === 'redis' ? freshRedis() : undefined;
    if (redis) redises.push(redis);
    const server = await startServer({
      ...LIMITED,
      ...(redis && { REDIS_URL: redis.url }),
      ...settings,
    });
    servers.push(server);
    return server;
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    for (const redis of redises.splice(0)) await redis.drop();
  });

  it('counts logins by address, and says so', async () => {
    const server = await limited({ RATE_LIMITS: 'login=3/1m' });
    await server.register('ada');
    for (const remaining of [2, 1, 0]) {
      const response = await login(server, 'ada', GOOD_PASSWORD, HOME);
      expect(response.status).toBe(200);
      expect(response.headers['ratelimit-policy']).toBe('"login";q=3;w=60');
      expect(response.headers.ratelimit).toMatch(
        new RegExp(`^"login";r=${remaining};t=([1-9]|[1-5]\\d|60)$`),
      );
    }
    const refused = await login(server, 'ada', GOOD_PASSWORD, HOME);
    expect([refused.status, refused.body]).toEqual([429, TOO_MANY]);
    const wait = refused.headers['retry-after'] ?? '';
    expect(Number(wait)).toBeGreaterThan(0);
    expect(Number(wait)).toBeLessThanOrEqual(60);
    expect(refused.headers['ratelimit-policy']).toBe('"login";q=3;w=60');
    expect(refused.headers.ratelimit).toBe(`"login";r=0;t=${wait}`);
    expect(await right(server, 'ada', newAddress())).toBe(200);
    const metric = await server.app
      .get(Metrics)
      .registry.getSingleMetricAsString('latchkey_rate_limited_total');
    expect(metric).toContain('latchkey_rate_limited_total{limit="login"} 1');
  });

  it('has the documented defaults', async () => {
    const server = await limited({ RATE_LIMITS: 'login=30/1m' });
    expect(tally(await times(31, () => statusOf(post(server, '/login', {}, HOME))))).toEqual({
      400: 30,
      429: 1,
    });
    expect(tally(await times(61, () => statusOf(post(server, '/register', {}, HOME))))).toEqual({
      400: 60,
      429: 1,
    });
    const guesses = newAddress();
    expect(tally(await times(7, () => wrong(server, 'ada', guesses)))).toEqual({ 401: 5, 429: 2 });
    expect(tally(await times(7, (i) => wrong(server, `x${i}`, guesses)))).toEqual({
      401: 5,
      429: 2,
    });
  });

  it('lets no more guesses reach bcrypt than the limit, however many come at once', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    const passwords = passwordsOf(server);
    const compare = passwords.compare.bind(passwords);
    let compared = 0;
    passwords.compare = (password, hash) => {
      compared++;
      return compare(password, hash);
    };
    const statuses = await times(200, () => wrong(server, 'ada', HOME));
    expect(tally(statuses)).toEqual({ 401: 5, 429: 195 });
    expect(compared).toBe(5);
    // Nor is the right password looked at.
    expect(await right(server, 'ada', HOME)).toBe(429);
    expect(compared).toBe(5);
    expect(await right(server, 'ada', newAddress())).toBe(200);
  });

  it('limits the guesses of one address over all usernames', async () => {
    const server = await limited();
    await server.register('ada');
    const statuses = await times(50, (index) => wrong(server, `user${index}`, HOME));
    expect(tally(statuses)).toEqual({ 401: 10, 429: 40 });
    expect(await right(server, 'ada', HOME)).toBe(429);
  });

  it('counts no right password as a guess, also of many at once', async () => {
    const server = await limited({
      RATE_LIMITS: 'login=1000/1m,failedAddress=3/1m,failedPair=2/15m',
    });
    for (const name of ['ada', 'grace']) await server.register(name);
    const names = ['ada', 'grace'];
    const statuses = await times(30, (i) => right(server, names[i % 2] ?? '', HOME));
    expect(tally(statuses)).toEqual({ 200: 30 });
    expect(tally(await times(9, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 7 });
    // The other user is none the worse for it.
    expect(await right(server, 'grace', HOME)).toBe(200);
  });

  it('forgets the typos of a user who then gets it right', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    for (let round = 0; round < 3; round++) {
      for (let typo = 0; typo < 4; typo++) expect(await wrong(server, 'ada', HOME)).toBe(401);
      expect(await right(server, 'ada', HOME)).toBe(200);
    }
  });

  it('counts nothing that was not judged, and no disabled user with the right password', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedPair=2/15m' });
    const { id } = await server.register('ada');
    const passwords = passwordsOf(server);
    const verify = passwords.verify.bind(passwords);
    passwords.verify = () => Promise.reject(new ApiError('unavailable'));
    expect(tally(await times(9, () => right(server, 'ada', HOME)))).toEqual({ 503: 9 });
    passwords.verify = verify;
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id }, { disabledAt: new Date() }),
    );
    for (let i = 0; i < 4; i++) expect(await right(server, 'ada', HOME)).toBe(403);
    expect(tally(await times(4, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 2 });
  });

  it('answers known and unknown usernames alike when it is too much', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedUsername=8/1d' });
    await server.register('known');
    await server.register('other', GOOD_PASSWORD, 'known@example.org');
    const seen = async (username: string) => {
      const answers = [];
      const places = Array<string>(7).fill(newAddress());
      for (const from of [
        ...places,
        newAddress(),
        newAddress(),
        newAddress(),
        newAddress(),
        HOME,
      ]) {
        const { status, text, headers } = await login(server, username, 'wrong password', from);
        // Which second it is may differ.
        const others = { ...headers, date: '', 'x-request-id': '' };
        answers.push(status, text, JSON.stringify(others).replaceAll(/(?<=;t=|after":")\d+/g, 'T'));
      }
      return answers;
    };
    const known = await seen('known');
    const statuses = known.filter((part) => typeof part === 'number');
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 401, 401, 401, 401, 429]);
    expect(await seen('unknown')).toEqual(known);
    expect(await seen('known@example.org')).toEqual(known);
    expect(await seen('unknown@example.org')).toEqual(known);
    expect(await seen('not a name')).toEqual(known);
  });

  it('counts the spellings of one name or address together', async () => {
    const server = await limited({
      RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m,failedPair=3/15m',
    });
    const spellings = {
      straße: ['Straße', 'STRAßE', 'ｓtraße'],
      ä: ['Ä', 'a\u0308', 'A\u0308'],
      'ada@example.org': ['ADA@EXAMPLE.ORG', 'ada@Example.org', ' ada@example.org '],
    };
    for (const registered of [false, true]) {
      const from = registered ? newAddress() : HOME;
      for (const [plain, others] of Object.entries(spellings)) {
        const isAddress = plain.includes('@');
        if (registered) {
          await server.register(
            isAddress ? 'ada' : plain,
            GOOD_PASSWORD,
            isAddress ? plain : undefined,
          );
        }
        for (const name of others) expect(await wrong(server, name, from)).toBe(401);
        expect(await wrong(server, plain, from)).toBe(429);
      }
    }
    expect(await wrong(server, 'strasse', HOME)).toBe(401);
  });

  it('counts the guesses of one account together, by name, address and present password', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    for (const name of ['ada', 'grace']) {
      await server.register(name, GOOD_PASSWORD, `${name}@example.org`);
    }
    const { jwt } = await server.login('ada');
    const change = (body: object) =>
      statusOf(
        server.http
          .put('/me/password')
          .set('authorization', `Bearer ${jwt}`)
          .set('x-forwarded-for', HOME)
          .send({ new_password: 'another good passphrase', ...body }),
      );
    const guesses = await times(24, (index) => {
      const ways = [
        () => wrong(server, 'ada', HOME),
        () => wrong(server, 'ADA@example.org', HOME),
        () => change({ current_password: 'wrong password' }),
      ];
      return ways[index % ways.length]?.() ?? Promise.resolve(0);
    });
    const { 429: refused = 0, ...judged } = tally(guesses);
    expect([Object.values(judged).reduce((sum, count) => sum + count, 0), refused]).toEqual([
      5, 19,
    ]);
    expect(await change({ current_password: GOOD_PASSWORD })).toBe(429);
    expect(await right(server, 'ada@example.org', HOME)).toBe(429);
    expect(await right(server, 'grace', HOME)).toBe(200);
  });

  it('goes on counting guesses of the present password after a change of name', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    let tokens = await server.login('ada');
    const ask = (method: 'put' | 'patch', path: string, body: object) =>
      server.http[method](path)
        .set('authorization', `Bearer ${tokens.jwt}`)
        .set('x-forwarded-for', HOME)
        .send(body);
    const codes = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 3; i++) {
        const body = { current_password: `guess ${i}`, new_password: 'another good passphrase' };
        codes.push(await statusOf(ask('put', '/me/password', body)));
      }
      await ask('patch', '/me', { username: `ada${round}` }).expect(200);
      const { refresh_token } = tokens;
      const refreshed = await post(server, '/refresh', { refresh_token }, HOME);
      tokens = refreshed.body as typeof tokens;
    }
    expect(codes).toEqual([...Array<number>(5).fill(403), ...Array<number>(7).fill(429)]);
  });

  it('counts no request without a password as a guess', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=3/1m' });
    const bodies = [
      { username: 'ada' },
      { username: 'ada', password: '' },
      { username: ' ', password: 'x' },
      [],
      'x',
      7,
      true,
    ];
    for (const body of [...bodies, ...bodies]) {
      const answer = await server.http
        .post('/login')
        .set('x-forwarded-for', HOME)
        .set('content-type', 'application/json')
        .send(JSON.stringify(body));
      expect([body, answer.status]).toEqual([body, 400]);
    }
    expect(await wrong(server, 'ada', HOME)).toBe(401);
  });

  it('slows a username under attack down for strangers, not for its owner', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedUsername=6/1d' });
    await server.register('ada', GOOD_PASSWORD, 'ada@example.org');
    const away = '2001:db8:1:2:aaaa:bbbb:cccc:dddd';
    expect(await right(server, 'ada', HOME)).toBe(200);
    expect(await right(server, 'ada', away)).toBe(200);
    const attack = async (name: string) => {
      const statuses = [];
      for (let i = 0; i < 9; i++) statuses.push(await wrong(server, name, newAddress()));
      return statuses;
    };
    // Six, one more in this minute, and then no more.
    expect(await attack('ada')).toEqual([401, 401, 401, 401, 401, 401, 401, 429, 429]);
    // The address is no second account.
    expect(await attack('ada@example.org')).toEqual(Array(9).fill(429));
    const refused = await login(server, 'ada', GOOD_PASSWORD, newAddress());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    for (const home of [HOME, `::ffff:${HOME}`, away, '2001:db8:1:2::1']) {
      expect([home, await right(server, 'ada', home)]).toEqual([home, 200]);
      expect([home, await right(server, 'ADA@example.org', home)]).toEqual([home, 200]);
    }
    // At home, too, guesses are limited.
    expect(tally(await times(8, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 5, 429: 3 });
    expect(await right(server, 'ada', '2001:db8:1:3::1')).toBe(429);
  });

  it('believes no address that a client sends', async () => {
    const rotate = (server: Server, prefix: (index: number) => string) =>
      times(8, (index) => wrong(server, 'ada', prefix(index)));
    const expected = { 401: 5, 429: 3 };
    const bare = await limited({ TRUST_PROXY: 'off', RATE_LIMITS: 'on,login=1000/1m' });
    expect(tally(await rotate(bare, (i) => `203.0.113.${i}`))).toEqual(expected);
    const proxied = await limited();
    expect(tally(await rotate(proxied, (i) => `203.0.113.${i}, ${HOME}`))).toEqual(expected);
    // What the proxy passes on may be no address at all, and is none to count by.
    const odd = await limited({ RATE_LIMITS: 'on,login=1000/1m' });
    expect(tally(await rotate(odd, (i) => `made-up-${i}`))).toEqual(expected);
  });

  it('knows clients apart, and their owners again, behind proxies that add ports', async () => {
    const server = await limited({
      TRUST_PROXY: '127.0.0.1, 10.0.0.0/8',
      RATE_LIMITS: 'login=3/1m,failedUsername=2/1d',
    });
    let port = 40_000;
    const through = (client: string) => `198.51.100.99, ${client}:${++port}, 10.0.0.6:${++port}`;
    await server.register('ada');
    const home = through('203.0.113.7');
    const signedIn = await login(server, 'ada', GOOD_PASSWORD, home);
    const { jwt } = signedIn.body as { jwt: string };
    const asked = server.get('/me/sessions', `Bearer ${jwt}`).set('x-forwarded-for', home);
    expect((await asked).body).toMatchObject({ sessions: [{ address: '203.0.113.7' }] });
    const audited = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findOneByOrFail({ action: 'login' }),
    );
    expect(audited.address).toBe('203.0.113.7');
    // Each client has limits of its own, whatever its port.
    for (const client of ['203.0.113.21', '203.0.113.22', '[2001:db8:0:1::1]']) {
      const statuses = [];
      for (let i = 0; i < 4; i++) {
        statuses.push(await statusOf(post(server, '/login', {}, through(client))));
      }
      expect([client, statuses]).toEqual([client, [400, 400, 400, 429]]);
    }
    // A stranger's wrong passwords do not lock the owner out.
    const strangers = ['203.0.113.31', '203.0.113.32', '203.0.113.33', '203.0.113.34'];
    const guesses = [];
    for (const client of strangers) guesses.push(await wrong(server, 'ada', through(client)));
    expect(guesses).toEqual([401, 401, 401, 429]);
    expect(await right(server, 'ada', through('203.0.113.7'))).toBe(200);
    expect(await right(server, 'ada', '[::ffff:203.0.113.7]:9, 10.0.0.6:443')).toBe(200);
    expect(await right(server, 'ada', 'unknown, 10.0.0.6:443')).toBe(429);
  });

  it('counts IPv6 by /64 and mapped IPv4 as IPv4', async () => {
    const server = await limited({ RATE_LIMITS: 'login=2/1m' });
    const from = (address: string) => statusOf(post(server, '/login', {}, address));
    expect(await from('2001:db8:0:1::1')).toBe(400);
    expect(await from('2001:db8:0:1:ffff:ffff:ffff:ffff')).toBe(400);
    expect(await from('2001:0DB8:0000:0001:abcd::')).toBe(429);
    expect(await from('2001:db8:0:2::1')).toBe(400);
    expect(await from('192.0.2.1')).toBe(400);
    expect(await from('::ffff:192.0.2.1')).toBe(400);
    expect(await from('192.0.2.1:54321')).toBe(429);
    expect(await from('192.0.2.2')).toBe(400);
  });

  it('limits refreshes by session, and only by tokens that were issued here', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,refresh=3/1m' });
    await server.register('ada');
    const { refresh_token: token } = await server.login('ada');
    const { refresh_token: other } = await server.login('ada');
    const refresh = (refresh_token: unknown, from: string) =>
      statusOf(post(server, '/refresh', { refresh_token }, from));
    const forged = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    expect(tally(await times(9, () => refresh(forged, newAddress())))).toEqual({ 401: 9 });
    expect(tally(await times(9, () => refresh(token, newAddress())))).toEqual({ 200: 3, 429: 6 });
    expect(await refresh(other, HOME)).toBe(200);
    expect(await refresh({ $ne: 1 }, HOME)).toBe(400);
    expect(await statusOf(post(server, '/refresh', {}, HOME))).toBe(400);
  });

  it("limits a route of one's own, by the user", async () => {
    const server = await limited();
    const tokens: string[] = [];
    for (const name of ['ada', 'grace']) {
      await server.register(name);
      tokens.push((await server.login(name)).jwt);
    }
    const [ada = '', grace = ''] = tokens;
    const cats = (jwt: string) =>
      server.get('/test-cats', `Bearer ${jwt}`).set('x-forwarded-for', newAddress());
    const first = await cats(ada);
    expect([first.status, first.headers['ratelimit-policy']]).toEqual([
      200,
      '"test-cats";q=3;w=60',
    ]);
    expect(tally(await times(5, () => statusOf(cats(ada))))).toEqual({ 200: 2, 429: 3 });
    expect((await cats(grace)).status).toBe(200);
    expect((await cats('')).status).toBe(401);
  });
});

(redisServer ? describe : describe.skip)('with Redis', () => {
  let redis: FreshRedis;
  let proxy: Awaited<ReturnType<typeof proxyOf>>;
  const servers: Server[] = [];
  beforeEach(async () => {
    redis = freshRedis();
    proxy = await proxyOf(redis.url);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    await proxy.kill();
    await redis.drop();
  });

  const start = async (settings: Record<string, string> = {}) => {
    const server = await startServer({
      ...LIMITED,
      RATE_LIMITS: 'login=1000/1m,failedPair=2/15m',
      REDIS_URL: proxy.url,
      ...settings,
    });
    servers.push(server);
    return server;
  };
  const said = (server: Server) =>
    server.log.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('Redis is'));
  const DOWN = expect.stringMatching(
    /^Redis is down \(.+\): each instance counts for itself until it is up again$/,
  ) as string;
  /** Waits until the log has said so many things of Redis. */
  const untilSaid = async (server: Server, lines: number) => {
    const deadline = Date.now() + 30_000;
    while (said(server).length < lines && Date.now() < deadline) await setTimeout(20);
    expect(said(server)).toHaveLength(lines);
  };

  it('counts on two instances as on one', async () => {
    const [one, two] = [await start(), await start()];
    const statuses = await times(40, (i) => wrong(i % 2 ? one : two, 'ada', HOME));
    const { 401: judged = 0, 429: refused = 0 } = tally(statuses);
    expect([judged, refused, said(two)]).toEqual([2, 38, []]);
    expect(await wrong(one, 'grace', HOME)).toBe(401);
  });

  it('keeps no name and no address', async () => {
    const server = await start();
    await server.register('adalovelace');
    await wrong(server, 'adalovelace', HOME);
    const keys = await redis.keys();
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(key).toMatch(/^latchkey-test-\w+:latchkey:limit:\w+:[\w-]{22}$/);
  });

  it('counts by itself when Redis is killed, and together when it is back', async () => {
    const [one, two] = [await start(), await start()];
    await one.register('ada');
    expect(await wrong(one, 'ada', HOME)).toBe(401);
    await proxy.kill();
    // Nest's logger is one for the process: the last server has the lines of both.
    await untilSaid(two, 2);
    for (const server of [one, two]) {
      const statuses = await times(20, () => wrong(server, 'grace', HOME));
      expect(tally(statuses)).toEqual({ 401: 2, 429: 18 });
    }
    expect(await right(one, 'ada', HOME)).toBe(200);
    await proxy.restart();
    await untilSaid(two, 4);
    expect(said(two)).toEqual([DOWN, DOWN, 'Redis is up again', 'Redis is up again']);
    expect(tally(await times(20, (i) => wrong(i % 2 ? one : two, 'linus', HOME)))).toEqual({
      401: 2,
      429: 18,
    });
  });

  it('counts by itself when Redis stops answering, also in the middle of a flood', async () => {
    const server = await start();
    const flood = times(60, (i) => wrong(server, `user${i % 3}`, newAddress()));
    proxy.silence(true);
    for (const status of await flood) expect([401, 429]).toContain(status);
    expect(tally(await times(20, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 18 });
    expect(said(server)).toEqual([DOWN]);
    proxy.silence(false);
    await untilSaid(server, 2);
    expect(await wrong(server, 'grace', newAddress())).toBe(401);
  });

  it('starts without Redis, and finds it later', async () => {
    await proxy.kill();
    const server = await start();
    expect(said(server)).toEqual([DOWN]);
    expect(tally(await times(5, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 3 });
    await proxy.restart();
    await untilSaid(server, 2);
    expect(await redis.keys()).toEqual([]);
    expect(await wrong(server, 'ada', newAddress())).toBe(401);
    expect(await redis.keys()).toHaveLength(4);
  });

  it('counts by itself where Redis takes no writes', async () => {
    const server = await start();
    // A key of another type stands for every refusal of a command.
    await wrong(server, 'ada', HOME);
    for (const key of await redis.keys()) await redis.spoil(key);
    expect(tally(await times(9, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 7 });
    expect(said(server)[0]).toEqual(DOWN);
  });
});

describe('RATE_LIMITS', () => {
  const flood = async (settings: Record<string, string>, from = '') => {
    const server = await startServer({
      LOG_LEVEL: 'info',
      ...settings,
      RATE_LIMITS: `${settings.RATE_LIMITS ?? 'auto'},login=2/1m`,
    });
    try {
      const asked = () => {
        const request = server.http.post('/login');
        return from === '' ? request.send({}) : request.set('x-forwarded-for', from).send({});
      };
      const statuses = await times(4, () => statusOf(asked()));
      const lines = server.log.map(({ msg }) => String(msg)).filter((msg) => /limit/i.test(msg));
      return { counts: tally(statuses), lines };
    } finally {
      await server.stop();
    }
  };
  const spared = { 400: 4 };
  const limited = { 400: 2, 429: 2 };
  const notice = ['Not in production: requests from this machine are not rate limited'];

  it('auto spares this machine outside production, and says so once', async () => {
    expect(await flood({})).toEqual({ counts: spared, lines: notice });
    // Through a trusted proxy it is the client who counts.
    expect(await flood({ TRUST_PROXY: '1' }, HOME)).toEqual({ counts: limited, lines: notice });
    expect(await flood({ TRUST_PROXY: '1' })).toEqual({ counts: spared, lines: notice });
    // A header can say anything, so it spares nobody.
    for (const claim of ['127.0.0.1', '[::1]:80', 'localhost', ' ']) {
      const counts = { counts: limited, lines: notice };
      expect([claim, await flood({ TRUST_PROXY: '1' }, claim)]).toEqual([claim, counts]);
    }
    const nowhere = await flood({ TRUST_PROXY: '10.0.0.1' }, '127.0.0.1');
    expect(nowhere).toEqual({ counts: limited, lines: notice });
  });

  it('auto spares nobody in production', async () => {
    const production = { NODE_ENV: 'production', BCRYPT_COST: '10' };
    expect(await flood(production)).toEqual({ counts: limited, lines: [] });
  });

  it('on spares nobody, off everybody', async () => {
    expect(await flood({ RATE_LIMITS: 'on' })).toEqual({ counts: limited, lines: [] });
    const off = { counts: spared, lines: ['Rate limits are off (RATE_LIMITS=off)'] };
    expect(await flood({ RATE_LIMITS: 'off', TRUST_PROXY: '1' }, HOME)).toEqual(off);
  });
});
