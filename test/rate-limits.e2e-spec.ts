import { Metrics } from '../src/common/metrics.js';
import {
  HOME,
  LIMITED,
  limitedServers,
  login,
  newAddress,
  post,
  right,
  statusOf,
  STORES,
  tally,
  times,
  wrong,
} from './support/limits.js';
import { type FreshRedis, freshRedis, proxyOf, redisServer } from './support/redis.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

const TOO_MANY = { msg: 'Too many requests', code: 'too_many_requests' };

describe.each(STORES)('limits in %s', (store) => {
  const limited = limitedServers(store);

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

  it('counts renames and removals of factors together, by the user', async () => {
    const server = await limited();
    await server.register('ada');
    const { jwt } = await server.login('ada');
    const ask = (method: 'patch' | 'delete') =>
      statusOf(
        server
          .ask(method, '/me/factors/unknown', jwt)
          .set('x-forwarded-for', newAddress())
          .send({ name: 'Phone' }),
      );
    const statuses = await times(62, (index) => ask(index % 2 ? 'patch' : 'delete'));
    expect(tally(statuses)).toEqual({ 404: 60, 429: 2 });
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
    await until(() => said(server).length >= lines, `${lines} lines about Redis`);
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
