import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { sha256 } from '../src/common/digest.js';
import { OneTimeTokensService } from '../src/mailed-links/one-time-tokens.service.js';
import { newUser } from './support/addresses.js';
import { mailAbout } from './support/mailbox.js';
import { mailedPage, PURPOSES } from './support/mailed-pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const NEW_PASSWORD = 'another good passphrase';

/** The page that leads on from a link that is no longer valid. */
const NEXT = {
  'verify-email': ['/verification', 'Ask for a new link'],
  'reset-password': ['/forgot-password', 'Ask for a new link'],
  'confirm-email': ['/account/email', 'Ask for a new link'],
  'undo-email-change': ['/sign-in', 'Sign in'],
  'sign-in': ['/sign-in/mail', 'Ask for a new link'],
};

/** The icon and the files of every page. */
const OURS = /<link rel="icon"[^>]*>|<script type="module" src="\/assets\/[\w.-]+"><\/script>/g;

let server: Server;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on' });
});
afterAll(() => server.stop());

async function resetLink(email: string): Promise<string> {
  await server.http.post('/password/forgot').send({ email });
  const { token } = await mailAbout(server, email, 'Set a new password');
  return `${server.url}/account/reset-password?token=${token}`;
}

describe('the pages of mailed links', () => {
  it.each(PURPOSES)('%s changes nothing before its form is sent', async (page) => {
    const { token } = await mailedPage(server, page);
    // Mail scanners follow links, again and again.
    for (const method of ['get', 'head'] as const) {
      const answer = await server.http[method](`/account/${page}?token=${token}`);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect(answer.headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
          "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
      );
    }
    const { text } = await server.http.get(`/account/${page}?token=${token}`);
    expect(text).toContain(`<input type="hidden" name="token" value="${token}"`);
    expect(text.replace(OURS, '')).not.toMatch(/<script|https?:|\son\w+=/);
    const sent = await server.http
      .post(`/account/${page}`)
      .type('form')
      .send({ token, password: NEW_PASSWORD });
    expect([sent.status, sent.text.includes('<form')]).toEqual([200, false]);
  });

  it.each(PURPOSES)('%s says at once that its link is no longer valid', async (page) => {
    const path = `/account/${page}`;
    const { token } = await mailedPage(server, page);
    const isRefused = async (given: string) => {
      const opened = await server.http.get(path).query({ token: given });
      const form = { token: given, password: NEW_PASSWORD };
      const sent = await server.http.post(path).type('form').send(form);
      expect([opened.status, sent.status, sent.text]).toEqual([200, 400, opened.text]);
      expect(opened.text).toContain(
        'This link is invalid. It has expired, was used already, or a newer mail replaced it.',
      );
      expect(opened.text).not.toContain('<form');
      expect(/<a class="button main" href="([^"]+)">([^<]+)</.exec(opened.text)?.slice(1)).toEqual(
        NEXT[page],
      );
    };
    await isRefused('A'.repeat(43));
    await server.withDatabase((db) =>
      db.query('UPDATE one_time_tokens SET expires_at = 1 WHERE token_hash = $1', [sha256(token)]),
    );
    await isRefused(token);
    if (page === 'sign-in') return;
    const used = await mailedPage(server, page);
    const form = { token: used.token, password: NEW_PASSWORD };
    await server.http.post(path).type('form').send(form).expect(200);
    await isRefused(used.token);
  });

  it('shows the form of a link that it cannot check, which then says why', async () => {
    const { token, path } = await mailedPage(server, 'reset-password');
    const tokens = server.app.get(OneTimeTokensService);
    const userOf = tokens.userOf.bind(tokens);
    tokens.userOf = () => Promise.reject(new Error('Connection terminated unexpectedly'));
    try {
      const opened = await server.http.get(path);
      expect([opened.status, opened.text.includes(`name="token" value="${token}"`)]).toEqual([
        200,
        true,
      ]);
      const sent = await server.http.post(path).type('form').send({ token, password: 'x' });
      expect(sent.status).toBe(503);
      expect(sent.text).toContain('We cannot do this right now. Try again in a minute.');
      tokens.userOf = () => Promise.reject(new Error('a mistake of ours'));
      const before = server.log.length;
      const failed = await server.http.get(path);
      const again = await server.http.post('/account/reset-password').type('form').send({ token });
      for (const { status, headers, text } of [failed, again]) {
        expect([status, headers['content-type']]).toEqual([500, 'text/html; charset=utf-8']);
        expect(text).toContain('Something went wrong on our side. Try again.');
        expect(text).toContain(`name="token" value="${token}"`);
        expect(text).not.toContain('a mistake of ours');
      }
      const logged = server.log.slice(before).filter(({ level }) => Number(level) >= 50);
      expect(logged.map(({ err }) => (err as Error).message)).toEqual(
        Array(2).fill('a mistake of ours'),
      );
    } finally {
      tokens.userOf = userOf;
    }
  });

  it.each(['', '?token=', '?token=a&token=b', '?token=%22%3E%3Cscript%3E', '?token=%00', '?x=y'])(
    'shows no form, and nothing of the address, for "%s"',
    async (query) => {
      const { status, text } = await server.http.get(`/account/verify-email${query}`);
      expect(status).toBe(200);
      expect(text).toContain('This link is invalid');
      expect(text.replace(OURS, '')).not.toMatch(/<form|<script|%3C/);
    },
  );

  it('speaks German to who prefers it, and knows no other page', async () => {
    const { path } = await mailedPage(server, 'reset-password');
    const german = await server.http.get(path).set('accept-language', 'fr, de-CH;q=0.8, en;q=0.5');
    expect(german.text).toContain('<html lang="de">');
    expect(german.text).toContain('Neues Passwort setzen');
    for (const page of ['nothing', 'constructor', '__proto__', '%00']) {
      const answer = await server.http.get(`/account/${page}?token=abc`);
      expect([answer.status, (answer.body as { code: string }).code]).toEqual([404, 'not_found']);
    }
  });

  it('takes forms there and nowhere else, and no large ones', async () => {
    const login = await server.http
      .post('/login')
      .type('form')
      .send({ username: 'ada', password: GOOD_PASSWORD });
    expect([login.status, login.body]).toMatchObject([
      400,
      { msg: 'Missing JSON in request', code: 'missing_json' },
    ]);
    const large = await server.http
      .post('/account/verify-email')
      .type('form')
      .send(`token=${'x'.repeat(100_000)}`);
    expect(large.status).toBe(413);
    for (const body of ['', 'token', 'token=%ff%zz', '__proto__=1&token=x']) {
      const odd = await server.http.post('/account/verify-email').type('form').send(body);
      expect(odd.status).toBe(400);
    }
  });

  it('has the name of the account for password managers, if the link is good', async () => {
    const { username, email } = await newUser(server);
    const link = new URL(await resetLink(email));
    const token = link.searchParams.get('token') ?? '';
    const nameIn = (html: string) =>
      /<input type="text" class="hidden" name="username"([^>]*) autocomplete="username"/
        .exec(html)?.[1]
        ?.trim();
    const path = '/account/reset-password';
    const shown = await server.http.get(`${path}?token=${token}`);
    expect(nameIn(shown.text)).toBe(`value="${username}"`);
    const form = { token, username, password: 'password' };
    const weak = await server.http.post(path).type('form').send(form);
    expect([weak.status, nameIn(weak.text)]).toEqual([400, `value="${username}"`]);
    // The name that the form sends decides nothing.
    const other = { token, username: 'another', password: NEW_PASSWORD };
    await server.http.post(path).type('form').send(other).expect(200);
    await expect(server.login(username, NEW_PASSWORD)).resolves.toBeDefined();
    // The page of another link has no such field.
    const verify = await server.http.get((await mailedPage(server, 'verify-email')).path);
    expect(verify.text).toContain('<form');
    expect(verify.text).not.toContain('autocomplete="username"');
  });

  it('says what is wrong with a weak password, and leaves the link good', async () => {
    const { username, email } = await newUser(server);
    const link = new URL(await resetLink(email));
    const token = link.searchParams.get('token') ?? '';
    const send = (password: string) =>
      server.http.post('/account/reset-password').type('form').send({ token, password });
    const weak = await send('password');
    expect(weak.status).toBe(400);
    expect(weak.text).toMatch(/id="password-problem" role="alert">This password is/);
    expect(weak.text).not.toContain('value="password"');
    const german = await send('password').set('accept-language', 'de');
    expect(german.text).toContain('Dieses Passwort probieren Angreifer als Erstes.');
    const done = await send(NEW_PASSWORD);
    expect([done.status, done.text.includes('<form')]).toEqual([200, false]);
    await expect(server.login(username, NEW_PASSWORD)).resolves.toBeDefined();
  });
});

describe('a form that is sent too often', () => {
  it('is answered by a page that says to try later, with what it takes to know when', async () => {
    const limited = await startServer({
      RATE_LIMITS: 'on,login=2/1m',
      SIGN_IN_BY_MAIL: 'on',
    });
    try {
      const token = 'A'.repeat(43);
      const send = (page: string, form: object) =>
        limited.http.post(`/account/${page}`).type('form').send(form);
      for (const page of PURPOSES.slice(0, 2))
        expect((await send(page, { token })).status).toBe(400);
      for (const page of PURPOSES) {
        const { status, headers, text } = await send(page, { token, password: NEW_PASSWORD });
        expect(status).toBe(429);
        expect(headers).toMatchObject({
          'content-type': 'text/html; charset=utf-8',
          'referrer-policy': 'no-referrer',
          'content-security-policy': expect.stringContaining("default-src 'none'") as string,
          'ratelimit-policy': '"login";q=2;w=60',
          ratelimit: expect.stringMatching(/^"login";r=0;t=\d+$/) as string,
          'retry-after': expect.stringMatching(/^[1-9]\d?$/) as string,
        });
        expect(text).toMatch(/Too many attempts\. Try again in \d+ (second|minute)s?\./);
        expect(text).toContain(`<input type="hidden" name="token" value="${token}"`);
        expect(text).not.toContain(NEW_PASSWORD);
      }
      const german = await send('verify-email', { token: '"><script>' }).set(
        'accept-language',
        'de',
      );
      expect(german.status).toBe(429);
      expect(german.text).toContain('Zu viele Versuche');
      expect(german.text.replace(OURS, '')).not.toContain('<script');
      // What is no page is still told to a program.
      const nothing = await send('nothing', { token });
      expect([nothing.status, (nothing.body as { code: string }).code]).toEqual([
        429,
        'too_many_requests',
      ]);
    } finally {
      await limited.stop();
    }
  });
});

const executablePath = process.env.TEST_CHROMIUM;
(executablePath ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let browser: Browser;
  const shots = process.env.SCREENSHOTS;
  beforeAll(async () => {
    if (shots) mkdirSync(shots, { recursive: true });
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat(
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ),
    });
  });
  afterAll(() => browser.close());

  it('a password is reset by a click, without scripts, and nothing leaks the link', async () => {
    const { username, email } = await newUser(server);
    const link = await resetLink(email);
    const page = await browser.newPage({ javaScriptEnabled: false });
    const problems: string[] = [];
    const requests: [url: string, referer: string | undefined][] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => requests.push([request.url(), request.headers().referer]));
    await page.goto(link);
    expect(await page.title()).toContain('Set a new password');
    if (shots) await page.screenshot({ path: join(shots, 'reset-form.png') });
    await page.getByLabel('New password').fill('password');
    await page.getByRole('button').click();
    expect(await page.getByRole('alert').textContent()).toMatch(/^This password is/);
    if (shots) await page.screenshot({ path: join(shots, 'reset-weak.png') });
    await page.getByLabel('New password').fill(NEW_PASSWORD);
    await page.getByRole('button').click();
    await page.getByText('Your new password is set').waitFor();
    if (shots) await page.screenshot({ path: join(shots, 'reset-done.png') });
    // The address no longer shows the token, and no request told it on.
    expect(page.url()).toBe(`${server.url}/account/reset-password`);
    expect(requests.filter(([, referer]) => referer)).toEqual([]);
    expect(requests.filter(([url]) => !url.startsWith(server.url))).toEqual([]);
    // The browser's complaints name no violation of the policy.
    expect(problems.filter((text) => /Content.Security|Refused|blocked/i.test(text))).toEqual([]);
    await expect(server.login(username, NEW_PASSWORD)).resolves.toBeDefined();
    await page.close();
  });

  it('an address is verified by a click, on a small screen and in German', async () => {
    const { username, email } = await newUser(server);
    const { jwt } = await server.login(username);
    const { link = '' } = await mailAbout(server, email, 'Confirm your e-mail address');
    const page = await browser.newPage({
      locale: 'de-DE',
      viewport: { width: 360, height: 640 },
      colorScheme: 'dark',
    });
    await page.goto(`${server.url}${new URL(link).pathname}${new URL(link).search}`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const button = 'getComputedStyle(document.querySelector("button")).backgroundColor';
    expect(await page.evaluate(button)).toBe('rgb(92, 128, 227)');
    if (shots) await page.screenshot({ path: join(shots, 'verify-form-de.png') });
    await page.getByRole('button', { name: 'Adresse bestätigen' }).click();
    await page.getByText('Ihre Adresse ist bestätigt').waitFor();
    const me = await server.get('/me', `Bearer ${jwt}`);
    expect(me.body).toMatchObject({ emailVerified: true });
    await page.close();
  });

  it('no other site can frame a page', async () => {
    const page = await browser.newPage();
    const { path } = await mailedPage(server, 'verify-email');
    await page.setContent(`<iframe src="${server.url}${path}"></iframe>`);
    const frame = page.frames()[1];
    expect(await frame?.locator('button').count()).toBe(0);
    await page.close();
  });
});
