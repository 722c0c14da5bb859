import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const ORIGIN = 'https://app.example.com';

let server: Server;
beforeAll(async () => {
  server = await startServer({ AUTH_COOKIES: 'on', CORS_ORIGINS: ORIGIN });
  await server.register('Ada');
});
afterAll(() => server.stop());

const login = (host = 'api.example.com', from = server) =>
  from.http.post('/login').set('host', host).send({ username: 'ada', password: GOOD_PASSWORD });
const cookieOf = (response: { headers: Record<string, unknown> }) =>
  (response.headers['set-cookie'] as string[] | undefined)?.[0] ?? '';
const pair = (cookie: string) => cookie.split(';')[0] ?? '';

/** A request as a browser sends it from a page of `origin`. */
const byCookie = (path: string, cookie: string, origin?: string) => {
  const asked = server.http.post(path).set('host', 'api.example.com').set('cookie', pair(cookie));
  return origin === undefined ? asked : asked.set('origin', origin);
};

it('sets the refresh token as a cookie that no script and no other host can touch', async () => {
  const response = await login();
  expect(response.status).toBe(200);
  const { refresh_token: token } = response.body as { refresh_token: string };
  expect(cookieOf(response)).toBe(
    `__Host-latchkey_refresh=${token}; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Strict`,
  );
  expect(cookieOf(await login('localhost:3000'))).toMatch(
    /^latchkey_refresh=\S+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/,
  );
});

it('refreshes and logs out by the cookie from an allowed origin', async () => {
  const first = cookieOf(await login());
  const refreshed = await byCookie('/refresh', first, ORIGIN).expect(200);
  const second = cookieOf(refreshed);
  expect(pair(second)).not.toBe(pair(first));
  expect(refreshed.headers['access-control-allow-credentials']).toBe('true');
  const { jwt } = refreshed.body as { jwt: string };
  const out = await byCookie('/logout', second, ORIGIN).expect(204);
  expect(cookieOf(out)).toMatch(/^__Host-latchkey_refresh=; .*Expires=Thu, 01 Jan 1970/);
  expect((await server.get('/protected', `Bearer ${jwt}`)).status).toBe(401);
  const again = await byCookie('/refresh', second, ORIGIN);
  expect([again.status, (again.body as { code: string }).code]).toEqual([401, 'session_ended']);
});

it('refuses requests by cookie from anywhere else, and changes nothing', async () => {
  const cookie = cookieOf(await login());
  for (const path of ['/refresh', '/logout', '/logout?scope=global']) {
    for (const origin of [undefined, 'null', 'https://evil.example', `${ORIGIN}.evil.example`]) {
      const response = await byCookie(path, cookie, origin);
      expect([response.status, response.body]).toEqual([
        403,
        {
          msg: 'Requests with a cookie are not taken from this origin',
          code: 'origin_not_allowed',
        },
      ]);
    }
  }
  await byCookie('/refresh', cookie, ORIGIN).expect(200);
});

it('keeps the JSON contract beside it', async () => {
  const response = await login();
  const { refresh_token: token } = response.body as { refresh_token: string };
  await server.http.post('/refresh').send({ refresh_token: token }).expect(200);
  const missing = await server.http.post('/refresh').send({});
  expect((missing.body as { code: string }).code).toBe('missing_parameter');
  expect((await server.http.post('/logout')).body).toMatchObject({ code: 'missing_authorization' });
});

it('is off by default', async () => {
  const plain = await startServer();
  try {
    await plain.register('ada');
    expect((await login('localhost', plain)).headers['set-cookie']).toBeUndefined();
    const response = await plain.http.post('/refresh').set('cookie', 'latchkey_refresh=x').send({});
    expect((response.body as { code: string }).code).toBe('missing_parameter');
  } finally {
    await plain.stop();
  }
});
