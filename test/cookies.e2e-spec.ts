import { Session } from '../src/sessions/session.entity.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const ORIGIN = 'https://app.example.com';

const COOKIES = {
  AUTH_COOKIES: 'on',
  CORS_ORIGINS: ORIGIN,
  PUBLIC_URL: 'https://api.example.com',
};

let server: Server;
beforeAll(async () => {
  server = await startServer(COOKIES);
  await server.register('Ada');
});
afterAll(() => server.stop());

const GOOD = { username: 'ada', password: GOOD_PASSWORD };
/** A login as a browser sends it from a page of {@link ORIGIN}. */
const login = (host = 'api.example.com', from = server) =>
  from.http.post('/login').set({ host, origin: ORIGIN }).send(GOOD);
const cookieOf = (response: { headers: Record<string, unknown> }) =>
  (response.headers['set-cookie'] as string[] | undefined)?.[0] ?? '';
const pair = (cookie: string) => cookie.split(';')[0] ?? '';

/** A request as a browser sends it from a page of `origin`. */
const byCookie = (path: string, cookie: string, origin?: string) => {
  const asked = server.http.post(path).set('host', 'api.example.com').set('cookie', pair(cookie));
  return origin === undefined ? asked : asked.set('origin', origin);
};

const MISSING = {
  msg: 'The request has no refresh token',
  code: 'missing_refresh_token',
};
const answerOf = ({ status, body }: { status: number; body: unknown }) => ({ status, body });
/** An answer with tokens whose refresh token is not in the body. */
const WITHOUT_REFRESH_TOKEN = {
  jwt: expect.any(String) as string,
  token_type: 'Bearer',
  expires_in: 900,
};

it('gives browsers the refresh token as a cookie that scripts and other hosts cannot touch', async () => {
  const response = await login();
  expect(answerOf(response)).toEqual({ status: 200, body: WITHOUT_REFRESH_TOKEN });
  expect(cookieOf(response)).toMatch(
    /^__Host-latchkey_refresh=[\w.-]{100,}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
});

it('puts a token that travels by cookie into no body, and one of a body into no cookie', async () => {
  const browser = await byCookie('/refresh', cookieOf(await login()), ORIGIN);
  expect(answerOf(browser)).toEqual({ status: 200, body: WITHOUT_REFRESH_TOKEN });
  expect(cookieOf(browser)).toMatch(/^__Host-latchkey_refresh=[\w.-]{100,};/);

  for (const origin of [undefined, 'null', 'https://evil.example', `${ORIGIN}.evil.example`]) {
    const asked = server.http.post('/login').send(GOOD);
    const shell = await (origin === undefined ? asked : asked.set('origin', origin));
    const { refresh_token: token } = shell.body as { refresh_token?: string };
    expect([typeof token, shell.headers['set-cookie']]).toEqual(['string', undefined]);
    const next = await server.http
      .post('/refresh')
      .set('origin', ORIGIN)
      .send({ refresh_token: token });
    expect(answerOf(next)).toEqual({
      status: 200,
      body: { ...WITHOUT_REFRESH_TOKEN, refresh_token: expect.any(String) as string },
    });
    expect(next.headers['set-cookie']).toBeUndefined();
  }
});

it('decides about Secure and the prefix by the settings, whatever host a request names', async () => {
  const secure = /^__Host-latchkey_refresh=\S+; Max-Age=2592000; Path=\/; HttpOnly; Secure; /;
  const plain = /^latchkey_refresh=\S+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/;
  const production = {
    ...COOKIES,
    NODE_ENV: 'production',
    BCRYPT_COST: '10',
  };
  for (const [settings, form] of [
    [COOKIES, secure],
    [{ ...COOKIES, PUBLIC_URL: '' }, plain],
    [{ ...COOKIES, PUBLIC_URL: 'http://localhost:3000' }, plain],
    [{ ...production, PUBLIC_URL: '' }, secure],
    [production, secure],
  ] as const) {
    const other = await startServer(settings);
    try {
      await other.register('ada');
      for (const host of ['127.0.0.1', 'localhost:3000', '[::1]', 'api.example.com']) {
        expect(cookieOf(await login(host, other))).toMatch(form);
      }
    } finally {
      await other.stop();
    }
  }
});

it('warns at the start of pages whose browsers will not send the cookie', async () => {
  const api = 'https://api.example.com';
  const kept = (origins: string, url: string) =>
    `browsers keep the refresh cookie from ${origins} (CORS_ORIGINS): ` +
    `that is another site than ${url} (PUBLIC_URL)`;
  for (const [settings, expected] of [
    [COOKIES, undefined],
    [{ CORS_ORIGINS: 'http://localhost:5173', PUBLIC_URL: '' }, undefined],
    [
      { CORS_ORIGINS: 'http://127.0.0.1:5173', PUBLIC_URL: '' },
      kept('http://127.0.0.1:5173', 'http://localhost:3000'),
    ],
    [
      { CORS_ORIGINS: 'http://127.0.0.1:5173', PUBLIC_URL: 'http://127.0.0.2:3000' },
      kept('http://127.0.0.1:5173', 'http://127.0.0.2:3000'),
    ],
    [
      { CORS_ORIGINS: 'https://example.com,http://app.example.com,https://app.example.net' },
      kept('http://app.example.com, https://app.example.net', api),
    ],
    [{ CORS_ORIGINS: 'https://app.example.net', AUTH_COOKIES: 'off' }, undefined],
  ] as const) {
    const other = await startServer({ LOG_LEVEL: 'warn', ...COOKIES, PORT: '', ...settings });
    try {
      const warnings = other.log.filter(({ level }) => level === 40).map(({ msg }) => msg);
      expect(warnings).toEqual(expected === undefined ? [] : [expected]);
    } finally {
      await other.stop();
    }
  }
});

it('lets only the current refresh token end sessions; an older one ends its own', async () => {
  const away = await server.login('ada');
  const first = cookieOf(await login());
  const second = cookieOf(await byCookie('/refresh', first, ORIGIN).expect(200));
  const reused = await byCookie('/logout?scope=global', first, ORIGIN);
  expect(answerOf(reused)).toEqual({
    status: 401,
    body: {
      msg: 'The refresh token was used before; the session has ended',
      code: 'refresh_token_reused',
    },
  });
  await server.get('/protected', `Bearer ${away.jwt}`).expect(200);
  const ended = await byCookie('/refresh', second, ORIGIN);
  expect([ended.status, (ended.body as { code: string }).code]).toEqual([401, 'session_ended']);

  const expired = cookieOf(await login());
  const id = pair(expired).split('=')[1]?.split('.')[0];
  await server.withDatabase(({ manager }) =>
    manager.update(Session, { id }, { expiresAt: new Date(Date.now() - 1000) }),
  );
  for (const scope of ['local', 'others', 'global']) {
    const refused = await byCookie(`/logout?scope=${scope}`, expired, ORIGIN);
    expect([refused.status, (refused.body as { code: string }).code]).toEqual([
      401,
      'refresh_token_expired',
    ]);
  }
  await server.get('/protected', `Bearer ${away.jwt}`).expect(200);

  const current = cookieOf(await login());
  await byCookie('/logout?scope=global', current, ORIGIN).expect(204);
  await server.get('/protected', `Bearer ${away.jwt}`).expect(401);
});

it('says that the refresh token is missing if a request brings neither cookie nor body', async () => {
  for (const path of ['/refresh', '/logout', '/logout?scope=global']) {
    for (const origin of [undefined, ORIGIN, 'https://evil.example']) {
      const asked = server.http.post(path);
      const response = await (origin === undefined ? asked : asked.set('origin', origin));
      expect(answerOf(response)).toEqual({ status: 401, body: MISSING });
      expect(response.headers['www-authenticate']).toBe('Bearer');
    }
  }
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
          msg: 'This origin may not send requests with a cookie',
          code: 'origin_not_allowed',
        },
      ]);
    }
  }
  await byCookie('/refresh', cookie, ORIGIN).expect(200);
});

it('keeps the JSON contract beside it', async () => {
  const { refresh_token: token } = await server.login('ada');
  await server.http.post('/refresh').send({ refresh_token: token }).expect(200);
  const missing = await server.http.post('/refresh').send({});
  expect((missing.body as { code: string }).code).toBe('missing_parameter');
  const text = await server.http.post('/refresh').set('content-type', 'text/plain').send('x');
  expect((text.body as { code: string }).code).toBe('missing_json');
});

it('is off by default', async () => {
  const plain = await startServer();
  try {
    await plain.register('ada');
    expect((await login('localhost', plain)).headers['set-cookie']).toBeUndefined();
    const response = await plain.http.post('/refresh').set('cookie', 'latchkey_refresh=x').send({});
    expect((response.body as { code: string }).code).toBe('missing_parameter');
    expect(answerOf(await plain.http.post('/refresh'))).toEqual({ status: 401, body: MISSING });
    const logout = await plain.http.post('/logout').set('cookie', 'latchkey_refresh=x');
    expect((logout.body as { code: string }).code).toBe('missing_authorization');
  } finally {
    await plain.stop();
  }
});

it('gives the cookie to other hosts of a domain, and to other sites, if the settings say so', async () => {
  const other = await startServer({
    ...COOKIES,
    AUTH_COOKIES: 'cross-site',
    AUTH_COOKIE_DOMAIN: 'example.com',
  });
  try {
    await other.register('Ada');
    const cookie = cookieOf(await login('api.example.com', other));
    expect(cookie).toMatch(
      /^__Secure-latchkey_refresh=[\w.-]{100,}; Max-Age=2592000; Domain=example.com; Path=\/; HttpOnly; Secure; SameSite=None$/,
    );
    const refresh = (origin: string) =>
      other.http.post('/refresh').set({ cookie: pair(cookie), origin });
    const evil = await refresh('https://evil.example.com');
    expect(evil.body).toMatchObject({ code: 'origin_not_allowed' });
    expect(answerOf(await refresh(ORIGIN))).toEqual({ status: 200, body: WITHOUT_REFRESH_TOKEN });
  } finally {
    await other.stop();
  }
});
