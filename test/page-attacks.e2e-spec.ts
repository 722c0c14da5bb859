import { signedInBrowser } from './support/account-pages.js';
import { Database } from '../src/database/database.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { currentContext } from '../src/common/request-context.js';
import { sendRaw } from './support/http.js';
import { declaredRoutes } from './support/own-routes.js';
import { browser, type PageBrowser, textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const COOKIE = 'latchkey_session';
const FORM = 'application/x-www-form-urlencoded';

let server: Server;
beforeAll(async () => {
  server = await startServer({
    RATE_LIMITS: 'off',
    SIGN_IN_BY_MAIL: 'on',
    MFA_REQUIRED: 'guardian',
  });
});
afterAll(() => server.stop());

/** The paths of all forms of pages. */
const formPaths = () =>
  declaredRoutes(server.app)
    .map(({ route }) => /^POST (\/(?:sign-|account|forgot|verification).*)$/.exec(route)?.[1] ?? '')
    .filter(Boolean)
    .map((path) => path.replace(':id', '00000000-0000-4000-8000-000000000000'))
    .map((path) => path.replace(':page', 'reset-password'));

/** Sends bytes as the form of a page of ours. */
const sendBytes = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': FORM },
) =>
  fetch(server.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    body,
  });

describe('a form of hostile bytes', () => {
  const json = { 'content-type': 'application/json' };
  const names = (
    'username password email displayName locale code challenge token return_to remember methods response passkey ' +
    'recovery_code current_password new_password proof_code proof_recovery_code proof_passkey continue ' +
    'continue_method id uri name typed_name signed_in_as'
  ).split(' ');
  const all = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]));
  const form = (value: string) => new URLSearchParams(all(value) as Record<string, string>);

  const cases: [string, string | Uint8Array<ArrayBuffer>, Record<string, string>?][] = [
    ['of another type', 'username=a&password=b', { 'content-type': 'text/plain' }],
    [
      'of many parts',
      '--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n--x--\r\n',
      { 'content-type': 'multipart/form-data; boundary=x' },
    ],
    ['that are not JSON', '{', json],
    ['of a list', '[1]', json],
    ['of null', 'null', json],
    ['of objects for texts', JSON.stringify(all({ a: [1] })), json],
    ['of lone surrogates', JSON.stringify(all('\ud800')), json],
    ['that are not UTF-8', new Uint8Array([0x61, 0x3d, 0xff, 0xfe])],
    ['with broken escapes', 'username=%ff%zz&password=%&id=%'],
    ['that are too long', `username=${'x'.repeat(100_000)}`],
    ['with each field twice', `${form('a')}&${form('b')}`],
    ['with fields of every object', '__proto__=1&constructor=2&toString=3&hasOwnProperty=4'],
    ['that name another method', '_method=DELETE', { 'x-http-method-override': 'DELETE' }],
    ['with NUL', `${form('a\0b')}`],
    ['with emoji', `${form('👩‍👩‍👧﷽\u202e')}`],
    ['with HTML', `${form('"><script>alert(1)</script>')}`],
    ['with JSON', `${form('{"__proto__":{"id":"x"},"id":1}')}`],
    ['with a new line', `${form('/account\r\nset-cookie: a=b')}`],
    ['of nothing', ''],
  ];
  it.each(cases)('%s is answered by a page, and by no fault of the server', async (...given) => {
    // Jest would take a third parameter for `done`.
    const [, body, headers] = given;
    const { visitor } = await signedInBrowser(server);
    for (const path of formPaths()) {
      const response = await sendBytes(path, body, {
        'content-type': FORM,
        ...(path.startsWith('/account') && { cookie: visitor.cookieHeader() }),
        ...headers,
      });
      const text = await response.text();
      const isPage = /^text\/html/.test(response.headers.get('content-type') ?? '');
      const isDownload = path === '/account/data' && response.status === 200;
      const isAnswered = isPage || isDownload || response.status === 303;
      expect([path, response.status < 500, isAnswered]).toEqual([path, true, true]);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect([path, text]).not.toEqual([path, expect.stringContaining('wrong on our side')]);
      expect([path, text]).not.toEqual([path, expect.stringContaining('<script>alert')]);
      if (response.status === 303) {
        expect(response.headers.get('location')).toMatch(
          /^\/(account|sign-in|forgot|verification)/,
        );
      }
    }
  });
});

describe('a form from another site', () => {
  const fields = `username=ada&password=${encodeURIComponent(GOOD_PASSWORD)}`;
  const ours = () => new URL(server.config.publicUrl);

  it.each<[string, (url: URL) => string[]]>([
    ['another port', ({ hostname }) => [`Origin: http://${hostname}:1`]],
    ['a host below ours', ({ host }) => [`Origin: http://evil.${host}`]],
    ['a host that begins like ours', ({ host }) => [`Origin: http://${host}.evil.example`]],
    ['our host as a user name', ({ host }) => [`Origin: http://${host}@evil.example`]],
    ['another scheme', ({ host }) => [`Origin: https://${host}`]],
    ['a path behind it', ({ origin }) => [`Origin: ${origin}/`]],
    ['two origins', ({ origin }) => [`Origin: ${origin}`, 'Origin: http://evil.example']],
    ['two origins in one header', ({ origin }) => [`Origin: ${origin}, http://evil.example`]],
    ['two answers', () => ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site']],
    ['a word in capitals', () => ['Sec-Fetch-Site: SAME-ORIGIN']],
    ['an empty word', ({ origin }) => ['Sec-Fetch-Site:', `Origin: ${origin}`]],
    ['our address as the referrer alone', ({ origin }) => [`Referer: ${origin}/sign-in`]],
  ])('is refused with %s', async (_what, headersOf) => {
    const lines = [
      'POST /sign-in HTTP/1.1',
      `Host: ${ours().host}`,
      'Connection: close',
      `Content-Type: ${FORM}`,
      `Content-Length: ${fields.length}`,
      ...headersOf(ours()),
    ];
    // The answer is a page, which is no JSON.
    await expect(sendRaw(server.port, `${lines.join('\r\n')}\r\n\r\n${fields}`)).rejects.toThrow(
      '<!doctype',
    );
    const response = await fetch(`${server.url}/health/live`);
    expect(response.status).toBe(200);
  });
});

describe('a form whose object has gone', () => {
  it('is answered by a page that says so', async () => {
    const { visitor } = await signedInBrowser(server);
    for (const id of ['00000000-0000-4000-8000-000000000000', '%00', '__proto__']) {
      const { status, text } = await visitor.post(`/account/factors/${id}`, { name: '' });
      expect([id, status]).toEqual([id, 404]);
      expect(textOf(text)).toContain('This does not exist any more.');
    }
  });

  it('leads to its page if the browser opens the address of the form', async () => {
    const { visitor } = await signedInBrowser(server);
    for (const [path, page] of [
      ['/account/confirm', '/account'],
      ['/account/email/verification', '/account/email'],
      ['/account/factors/app/confirm', '/account/factors'],
      ['/account/factors/x/remove?a=b', '/account/factors'],
      ['/account/sessions/end', '/account/sessions'],
      ['/sign-in/passkey', '/sign-in'],
    ] as const) {
      const shown = await visitor.get(path);
      expect([shown.status, shown.path]).toEqual([200, page]);
    }
  });
});

describe('16 posts of one form at once', () => {
  const times16 = (visitor: PageBrowser, path: string, fields: Record<string, string>) =>
    Promise.all(
      Array.from({ length: 16 }, async () => {
        const body = new URLSearchParams(fields).toString();
        const response = await sendBytes(path, body, {
          'content-type': FORM,
          cookie: visitor.cookieHeader(),
        });
        await response.text();
        return response.status;
      }),
    );
  const times = (statuses: number[], status: number) =>
    statuses.filter((one) => one === status).length;

  it('register one account', async () => {
    const fields = { username: 'sixteen', password: GOOD_PASSWORD, email: '' };
    const statuses = await times16(browser(server), '/sign-up', fields);
    expect([times(statuses, 303), times(statuses, 409)]).toEqual([1, 15]);
  });

  it('delete one account, once', async () => {
    const { username, visitor } = await signedInBrowser(server);
    await visitor.get('/account/delete');
    const fields = { ...visitor.fields(), typed_name: username };
    const statuses = await times16(visitor, '/account/delete', fields);
    expect(times(statuses, 303)).toBe(16);
    expect((await visitor.get('/account')).path).toContain('/sign-in');
  });

  it('change a password once', async () => {
    const { username, visitor } = await signedInBrowser(server);
    const changed = 'another good passphrase';
    const fields = { current_password: GOOD_PASSWORD, new_password: changed };
    const statuses = await times16(visitor, '/account/password', fields);
    expect(times(statuses, 500)).toBe(0);
    await expect(server.login(username, changed)).resolves.toBeDefined();
  });
});

describe('a session that can only enrol a factor', () => {
  it('opens no other page, takes no other form, and can sign out', async () => {
    const { id, username } = await signedInBrowser(server);
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['guardian']);
    const visitor = browser(server);
    await visitor.signIn(username, GOOD_PASSWORD);
    const allowed = /^\/account\/(confirm|factors)/;
    for (const path of formPaths().filter((one) => /^\/account\/(?!reset)/.test(one))) {
      if (allowed.test(path)) continue;
      const fields = { displayName: 'Eve', typed_name: username, email: 'eve@example.org' };
      expect([path, (await visitor.post(path, fields)).path]).toEqual([path, '/account/factors']);
    }
    for (const page of ['', '/profile', '/email', '/password', '/sessions', '/activity', '/data']) {
      expect((await visitor.get(`/account${page}`)).path).toBe('/account/factors');
    }
    expect((await visitor.post('/sign-out', {})).path).toBe('/sign-in?done=signed-out');
  });
});

describe('cookies of the other kind', () => {
  it('open nothing: a refresh token is no session of pages', async () => {
    await server.register('cookies');
    const { jwt, refresh_token: refreshToken } = await server.login('cookies');
    for (const value of [jwt, refreshToken, refreshToken.slice(0, 43)]) {
      const thief = browser(server);
      for (const name of [COOKIE, 'refresh_token', 'latchkey_refresh']) {
        thief.cookies.set(name, value);
      }
      expect((await thief.get('/account')).path).toBe('/sign-in?return_to=%2Faccount');
    }
  });
});

describe('the limits of a sign-in', () => {
  it('are those of the JSON route, and count both', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on,login=1000/1m,failedUsername=4/1d' });
    try {
      await limited.register('ada');
      const wrong = { username: 'ada', password: 'wrong password' };
      const statuses = [];
      for (let attempt = 0; attempt < 2; attempt++) {
        statuses.push((await limited.post('/login', wrong)).status);
        statuses.push((await browser(limited).post('/sign-in', wrong)).status);
      }
      expect(statuses).toEqual([401, 401, 401, 401]);
      await limited.post('/login', wrong);
      const refused = await browser(limited).post('/sign-in', wrong);
      expect([refused.status, (await limited.post('/login', wrong)).status]).toEqual([429, 429]);
      expect(textOf(refused.text)).toMatch(/Too many attempts\. Try again in \d+ \w+\./);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.text).toContain('value="ada"');
    } finally {
      await limited.stop();
    }
  });
});

describe('a stranger', () => {
  it('learns from no page, and from no statement, whether there is an account', async () => {
    const email = 'here@example.org';
    await server.register('here', GOOD_PASSWORD, email);
    const { id } = await server.register('locked');
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET disabled_at = 1 WHERE id = '${id}'`),
    );
    let statements: string[] = [];
    server.app.get(Database).observe(({ query }) => {
      // Failed logins are recorded, and mails are sent, in the background.
      const ofRequest = currentContext().source === 'request';
      if (ofRequest && /\b(users|sessions)\b/.test(query)) statements.push(query);
    });
    const ask = async (path: string, fields: Record<string, string>, who: string) => {
      statements = [];
      const { status, path: shown, headers, text } = await browser(server).post(path, fields);
      const own = ['date', 'x-request-id', 'content-length', 'set-cookie'];
      const seen = [...headers].filter(([name]) => !own.includes(name));
      const page = text.replaceAll(who, 'WHO').replaceAll(/(name="challenge" value=")[^"]*/g, '$1');
      return { status, shown, seen, page, statements };
    };
    const wrong = (username: string) =>
      ask('/sign-in', { username, password: 'wrong password' }, username);
    const nobody = await wrong('nobody');
    for (const username of ['here', 'locked']) expect(await wrong(username)).toEqual(nobody);
    expect(await wrong(email)).toEqual(await wrong('gone@example.org'));
    for (const path of ['/forgot-password', '/verification', '/sign-in/mail']) {
      const mail = async (address: string) => ({
        ...(await ask(path, { email: address }, address)),
        // The worker looks for the account of the mail before it.
        statements: undefined,
      });
      expect(await mail(email)).toEqual(await mail('gone@example.org'));
    }
  });
});
