import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

const TOKEN = 'a-token-for-metrics';

let server: Server;
afterEach(() => server.stop());

const metrics = async (): Promise<string> => (await server.http.get('/metrics').expect(200)).text;

/** The samples of one metric, a line each, in order. */
const samples = async (name: string): Promise<string[]> =>
  (await metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length))
    .sort();

it('counts requests by method, route pattern and status, whatever is asked for', async () => {
  server = await startServer();
  await server.http.get('/health/live?canary=query');
  await server.http.get('/health/live');
  await server.http.head('/health/live');
  await server.http.get('/protected').set('authorization', 'Bearer canary-token');
  for (const path of ['/canary-a', '/canary-b', '/canary-c/../x', '/%ff', '/docs/canary"}\n']) {
    await fetch(server.url + encodeURI(path));
  }
  await fetch(`${server.url}/login`, { method: 'PROPFIND' });
  expect(await samples('latchkey_http_requests_total')).toEqual([
    '{method="GET",route="/health/live",status="200"} 2',
    '{method="GET",route="/protected",status="401"} 1',
    '{method="GET",route="unknown",status="404"} 5',
    '{method="HEAD",route="/health/live",status="200"} 1',
    '{method="other",route="unknown",status="405"} 1',
  ]);
  expect(await samples('latchkey_http_request_seconds_count')).toContain(
    '{method="GET",route="/health/live"} 2',
  );
  expect(await metrics()).not.toContain('canary');
});

it('counts logins by result', async () => {
  server = await startServer();
  await server.register('ada');
  await server.login('ada');
  const post = (body: object) => server.http.post('/login').send(body);
  await post({ username: 'ada', password: 'wrong' }).expect(401);
  await post({ username: 'canary', password: GOOD_PASSWORD }).expect(401);
  await server.withDatabase((db) => db.query('UPDATE users SET disabled_at = 1'));
  await post({ username: 'ada', password: GOOD_PASSWORD }).expect(403);
  await post({ username: 'ada' }).expect(400);
  expect(await samples('latchkey_logins_total')).toEqual([
    '{result="bad_credentials"} 2',
    '{result="code_invalid"} 0',
    '{result="email_not_verified"} 0',
    '{result="error"} 0',
    '{result="link_invalid"} 0',
    '{result="passkey_invalid"} 0',
    '{result="passkey_unknown"} 0',
    '{result="second_factor_required"} 0',
    '{result="success"} 1',
    '{result="too_many_requests"} 0',
    '{result="unavailable"} 0',
    '{result="user_disabled"} 1',
  ]);
  expect(await metrics()).not.toContain('canary');
});

it('shows the use of the database, the event loop and the process', async () => {
  server = await startServer();
  await server.register('ada');
  expect(await samples('latchkey_database_waiting')).toEqual([' 0']);
  const [connections] = await samples('latchkey_database_connections');
  const [idle] = await samples('latchkey_database_connections_idle');
  expect(Number(connections)).toBeGreaterThan(0);
  expect(idle).toBe(databaseKind() === 'sqlite' ? ' 0' : connections);
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']) {
    expect(await samples(name)).toHaveLength(1);
  }
});

it('is open without METRICS_TOKEN, in the format of Prometheus', async () => {
  server = await startServer();
  const show = () => server.http.get('/metrics').expect(200);
  let { headers, text } = await show();
  // What prom-client writes if Node has not looked at the event loop's lag twice since the request before. It does
  // so every 50 ms.
  while (text.includes(' Nan\n')) {
    await setTimeout(200);
    ({ headers, text } = await show());
  }
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(headers['cache-control']).toBe('no-store');
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^# (HELP|TYPE) \w+ .+$|^\w+(\{[^\n]*\})? [-+\d.eINaf]+$|^$/);
  }
});

it('is described in docs/monitoring.md, metric by metric', async () => {
  server = await startServer();
  const page = readFileSync('docs/monitoring.md', 'utf8');
  const names = [...(await metrics()).matchAll(/^# HELP (latchkey_\w+)/gm)].map(
    ([, name = '']) => name,
  );
  expect(names).toContain('latchkey_logins_total');
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('asks for METRICS_TOKEN where it is set, and takes nothing else', async () => {
  server = await startServer({ METRICS_TOKEN: TOKEN });
  await server.register('ada');
  const { jwt } = await server.login('ada');
  const ask = (authorization: string) => server.get('/metrics', authorization);
  await ask(`Bearer ${TOKEN}`).expect(200);
  const none = await server.get('/metrics');
  expect([none.status, none.body, none.headers['www-authenticate']]).toEqual([
    401,
    { msg: 'Missing Authorization Header', code: 'missing_authorization' },
    'Bearer',
  ]);
  for (const wrong of [
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    'Bearer',
    `Bearer ${jwt}`,
    `Bearer ${forge(jwt, { roles: ['admin'] })}`,
  ]) {
    const refused = await ask(wrong);
    expect([refused.status, refused.body, refused.headers['www-authenticate']]).toEqual([
      401,
      { msg: 'Sign in to do this', code: 'unauthorized' },
      'Bearer error="invalid_token"',
    ]);
  }
});

describe('in production without METRICS_TOKEN', () => {
  /** As `startServer`, as production would: its settings refuse what tests need. */
  const start = async (settings: Record<string, string> = {}) => {
    const started = await startServer(settings);
    Object.defineProperty(started.config, 'production', { value: true });
    return started;
  };
  const far = {
    msg: 'Without METRICS_TOKEN, only private networks may read the metrics',
    code: 'forbidden',
  };
  const ask = async (headers: Record<string, string>) => {
    const response = await server.http.get('/metrics').set(headers);
    return [response.status, response.status === 200 ? null : (response.body as unknown)];
  };

  it('answers this machine, and no client that a proxy of unknown trust forwards', async () => {
    server = await start();
    expect(await ask({})).toEqual([200, null]);
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip']) {
      expect(await ask({ [header]: '10.0.0.1' })).toEqual([403, far]);
    }
  });

  it('answers private networks behind a proxy that is trusted', async () => {
    server = await start({ TRUST_PROXY: '1' });
    for (const near of ['10.1.2.3', '172.16.0.9', '192.168.1.1', '127.0.0.1', 'fd00::1', '::1']) {
      expect([near, await ask({ 'x-forwarded-for': near })]).toEqual([near, [200, null]]);
    }
    for (const address of ['203.0.113.7', '172.32.0.1', '11.0.0.1', '2001:db8::1']) {
      const asked = await ask({ 'x-forwarded-for': address });
      expect([address, asked]).toEqual([address, [403, far]]);
    }
  });

  it.each([
    ['x-forwarded-for', 'unknown'],
    ['x-forwarded-for', ''],
    ['x-forwarded-for', '203.0.113.7, unknown'],
    ['x-forwarded-for', '203.0.113.7, 10.0.0.6'],
    ['x-real-ip', '203.0.113.7'],
    ['forwarded', 'for=203.0.113.7'],
  ])('answers no client that a trusted proxy hides by %s: %s', async (header, value) => {
    server = await start({ TRUST_PROXY: '1' });
    expect(await ask({ [header]: value })).toEqual([403, far]);
  });

  it('answers any client with the token, if it is set', async () => {
    server = await start({ METRICS_TOKEN: TOKEN, TRUST_PROXY: '1' });
    await server
      .get('/metrics', `Bearer ${TOKEN}`)
      .set('x-forwarded-for', '203.0.113.7')
      .expect(200);
  });
});
