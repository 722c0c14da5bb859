import { browser } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const COOKIE = 'latchkey_session';

let server: Server;
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'off' });
  await server.register('ada');
});
afterAll(() => server.stop());

/** A browser that is signed in as a user. */
async function signedIn(username = 'ada', more: Record<string, string> = {}) {
  const opened = browser(server);
  await opened.signIn(username, GOOD_PASSWORD, more);
  return opened;
}

/** Whether a browser's cookie is good: the page to sign in then says so. */
async function isSignedIn(opened: ReturnType<typeof browser>): Promise<boolean> {
  const { text } = await opened.get('/sign-in');
  return text.includes('You are signed in');
}

/** The sessions of a user, as the API lists them. */
async function sessionsOf(username: string): Promise<{ id: string; amr: string[] }[]> {
  const { jwt } = await server.login(username);
  const answer = await server.get('/me/sessions', `Bearer ${jwt}`);
  const { sessions } = answer.body as {
    sessions: { id: string; amr: string[]; current: boolean }[];
  };
  return sessions.filter(({ current }) => !current);
}

describe("the browser's session", () => {
  it('is a cookie that scripts and other sites cannot use, for the time that the browser is open', async () => {
    const send = (fields: Record<string, string>) =>
      fetch(`${server.url}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ username: 'ada', password: GOOD_PASSWORD, ...fields }),
      });
    const cookieOf = (response: Response) =>
      response.headers.getSetCookie().find((line) => line.startsWith(`${COOKIE}=`));
    expect(cookieOf(await send({}))).toMatch(
      /^latchkey_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/i,
    );
    expect(cookieOf(await send({ remember: 'on' }))).toMatch(
      /^latchkey_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/i,
    );
  });

  it('has the prefix __Host- over https', async () => {
    const secure = await startServer({ PUBLIC_URL: 'https://id.example.com' });
    try {
      await secure.register('ada');
      const opened = browser(secure);
      await opened.signIn('ada', GOOD_PASSWORD);
      expect([...opened.cookies.keys()]).toContain('__Host-latchkey_session');
      expect((await opened.get('/sign-in')).text).toContain('You are signed in');
    } finally {
      await secure.stop();
    }
  });

  it('is stored as a hash', async () => {
    const opened = await signedIn();
    const value = opened.cookies.get(COOKIE) ?? '';
    const rows = await server.withDatabase((db) =>
      db.query<{ token_hash: string }[]>('SELECT token_hash FROM browser_sessions'),
    );
    expect(rows.map((row) => row.token_hash)).not.toContain(value);
    expect(JSON.stringify(server.log)).not.toContain(value);
  });

  it('opens no route of the API', async () => {
    const opened = await signedIn();
    const cookie = `${COOKIE}=${opened.cookies.get(COOKIE) ?? ''}`;
    for (const [method, path] of [
      ['GET', '/me'],
      ['GET', '/protected'],
      ['POST', '/logout'],
      ['DELETE', '/me'],
    ] as const) {
      const response = await fetch(server.url + path, {
        method,
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
      });
      expect([path, response.status]).toEqual([path, 401]);
    }
  });

  it.each([
    ['signs out on its page', (opened: ReturnType<typeof browser>) => opened.post('/sign-out', {})],
    [
      'ends all sessions elsewhere',
      async () => {
        const { jwt } = await server.login('ada');
        await server.http.post('/logout?scope=global').set('authorization', `Bearer ${jwt}`);
      },
    ],
    [
      'changes the password elsewhere',
      async () => {
        const { jwt } = await server.login('ada');
        await server
          .ask('put', '/me/password', jwt)
          .send({ current_password: GOOD_PASSWORD, new_password: GOOD_PASSWORD });
      },
    ],
  ])('is over at the next click if the user %s', async (_what, act) => {
    const opened = await signedIn();
    const kept = browser(server);
    kept.cookies.set(COOKIE, opened.cookies.get(COOKIE) ?? '');
    expect(await isSignedIn(kept)).toBe(true);
    await act(opened);
    expect(await isSignedIn(kept)).toBe(false);
  });

  it('of a deleted, a disabled user and of an expired session is none', async () => {
    for (const change of [
      "DELETE FROM users WHERE username = 'eve'",
      "UPDATE users SET disabled_at = 1 WHERE username = 'eve'",
      "UPDATE sessions SET expires_at = 1 WHERE user_id IN (SELECT id FROM users WHERE username = 'eve')",
    ]) {
      await server.register('eve').catch(() => undefined);
      const opened = await signedIn('eve');
      expect(await isSignedIn(opened)).toBe(true);
      await server.withDatabase((db) => db.query(change));
      expect(await isSignedIn(opened)).toBe(false);
      await server.withDatabase((db) => db.query('UPDATE users SET disabled_at = NULL'));
    }
  });

  it('moves its expiry with its use, and not past the absolute one', async () => {
    const opened = await signedIn();
    const [session] = await sessionsOf('ada');
    const set = (sql: string) =>
      server.withDatabase((db) =>
        db.query(`UPDATE sessions SET ${sql} WHERE id = '${session?.id ?? ''}'`),
      );
    const expiry = async () => {
      const [row] = await server.withDatabase((db) =>
        db.query<{ expires_at: string }[]>(
          `SELECT expires_at FROM sessions WHERE id = '${session?.id ?? ''}'`,
        ),
      );
      return Number(row?.expires_at);
    };
    const { idle, absolute } = server.config.sessions;
    const soon = Date.now() + 30_000;
    await set(`last_used_at = last_used_at - 120000, expires_at = ${soon}`);
    expect(await isSignedIn(opened)).toBe(true);
    expect(await expiry()).toBeGreaterThan(Date.now() + idle * 1000 - 60_000);
    const old = Date.now() - absolute * 1000 + 45_000;
    await set(`last_used_at = last_used_at - 120000, created_at = ${old}`);
    expect(await isSignedIn(opened)).toBe(true);
    expect(await expiry()).toBe(old + absolute * 1000);
  });

  it('has a new value after each sign-in, and the session before it ends', async () => {
    await server.register('bob');
    const opened = await signedIn();
    const [first] = await sessionsOf('ada');
    const before = opened.cookies.get(COOKIE) ?? '';
    await opened.post('/sign-in', { username: 'bob', password: GOOD_PASSWORD });
    expect(opened.cookies.get(COOKIE)).not.toBe(before);
    expect((await opened.get('/sign-in')).text).toContain('bob');
    expect((await sessionsOf('ada')).map(({ id }) => id)).not.toContain(first?.id);
  });

  it('stays good if the user confirms 16 times at once', async () => {
    const opened = await signedIn();
    const cookie = `${COOKIE}=${opened.cookies.get(COOKIE) ?? ''}`;
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        fetch(`${server.url}/account/confirm`, {
          method: 'POST',
          redirect: 'manual',
          headers: { 'sec-fetch-site': 'same-origin', cookie },
          body: new URLSearchParams({ current_password: GOOD_PASSWORD, continue: '/account' }),
        }),
      ),
    );
    const values = answers.flatMap(({ headers }) =>
      headers.getSetCookie().filter((line) => line.startsWith(`${COOKIE}=`)),
    );
    expect(values).toHaveLength(1);
    opened.cookies.set(COOKIE, /=([^;]*)/.exec(values[0] ?? '')?.[1] ?? '');
    expect(await isSignedIn(opened)).toBe(true);
  });

  it('that a stranger has chosen is worth nothing', async () => {
    const opened = browser(server);
    const chosen = 'A'.repeat(43);
    opened.cookies.set(COOKIE, chosen);
    await opened.signIn('ada', GOOD_PASSWORD);
    expect(opened.cookies.get(COOKIE)).not.toBe(chosen);
    const stranger = browser(server);
    stranger.cookies.set(COOKIE, chosen);
    expect(await isSignedIn(stranger)).toBe(false);
  });

  it.each(['', 'x', '%00', '"><script>', 'A'.repeat(10_000), 'A'.repeat(42) + '\u00e9'])(
    'is none for the cookie "%s"',
    async (value) => {
      const opened = browser(server, { cookie: `${COOKIE}=${encodeURIComponent(value)}` });
      const { status, text } = await opened.get('/sign-in');
      expect([status, text.includes('name="password"')]).toEqual([200, true]);
    },
  );
});

describe('a form', () => {
  const fields = { username: 'ada', password: GOOD_PASSWORD };

  it.each([
    ['without a browser’s headers', {}],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another host of the site', { 'sec-fetch-site': 'same-site' }],
    ['from no page', { 'sec-fetch-site': 'none' }],
    ['from another origin', { origin: 'https://evil.example' }],
    ['from a page without an origin', { origin: 'null' }],
    [
      'with an origin of ours that another site sent',
      { 'sec-fetch-site': 'cross-site', origin: 'OURS' },
    ],
  ])('is refused %s', async (_what, headers) => {
    const origin = new URL(server.config.publicUrl).origin;
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === 'OURS' ? origin : value]),
    );
    for (const path of ['/sign-in', '/sign-out']) {
      const opened = browser(server);
      const { status, text } = await opened.post(path, fields, sent);
      expect([path, status]).toEqual([path, 403]);
      expect(text).toContain('Your browser sent this form from another site');
      expect(opened.cookies.has(COOKIE)).toBe(false);
    }
  });

  it('is taken with the origin of the server from a browser that says no more', async () => {
    const opened = browser(server);
    const origin = new URL(server.config.publicUrl).origin;
    await opened.post('/sign-in', fields, { origin });
    expect(opened.cookies.has(COOKIE)).toBe(true);
  });

  it('that is sent 16 times at once signs in, each time by itself', async () => {
    await server.register('mia');
    const opened = Array.from({ length: 16 }, () => browser(server));
    const sent = { username: 'mia', password: GOOD_PASSWORD };
    await Promise.all(opened.map((one) => one.post('/sign-in', sent)));
    expect(await Promise.all(opened.map(isSignedIn))).toEqual(opened.map(() => true));
  });

  it('keeps what was typed but the password, and shows HTML as text', async () => {
    const opened = browser(server);
    const username = '"><script>alert(1)</script>';
    const { status, text } = await opened.post('/sign-in', { username, password: 'hunter22' });
    expect(status).toBe(401);
    expect(text).toContain('The name or the password is wrong.');
    expect(text).toContain('value="&quot;>&lt;script>');
    expect(text).not.toMatch(/hunter22|<script>alert/);
  });

  it('says which field is empty, and takes no body that is too large', async () => {
    const opened = browser(server);
    const { status, text } = await opened.post('/sign-in', { username: '', password: '' });
    expect(status).toBe(400);
    expect(text).toMatch(/id="username-problem" role="alert">Fill in this field/);
    const large = await opened.post('/sign-in', { username: 'x'.repeat(100_000) });
    expect(large.status).toBe(413);
    const odd = await opened.post('/sign-in', { username: 'a\0b', password: '\ud800💥' });
    expect(odd.status).toBe(401);
  });
});

describe('the way back after a sign-in', () => {
  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/%2f%2fevil.example',
    '%2f%2fevil.example',
    '/%5cevil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/account/..//evil.example',
    '/account\r\nset-cookie: a=b',
    '/account\t//evil.example',
    '/accounts',
    '/me',
    '',
    '/'.repeat(2_000),
  ])('never leads to another site: "%s"', async (returnTo) => {
    const form = { username: 'ada', password: GOOD_PASSWORD, return_to: returnTo };
    const response = await fetch(`${server.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams(form),
    });
    expect([response.status, response.headers.get('location')]).toEqual([303, HOME]);
    const shown = await browser(server).get(`/sign-in?return_to=${encodeURIComponent(returnTo)}`);
    expect(shown.text).toContain(`name="return_to" value="${HOME}"`);
  });
});

/** The page that a sign-in leads to without a better one. */
const HOME = '/account';
