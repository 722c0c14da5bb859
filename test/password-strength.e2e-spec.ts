import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { signedInBrowser } from './support/account-pages.js';
import { tally, times } from './support/limits.js';
import { mailedPage } from './support/mailed-pages.js';
import { openBrowser, watch } from './support/page-checks.js';
import { browser } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const PATH = '/password-strength';
const OURS = { 'sec-fetch-site': 'same-origin' };
const GOOD = 'This password is good.';

let server: Server;
let withoutPages: Server;
beforeAll(async () => {
  [server, withoutPages] = await Promise.all([startServer(), startServer({ PAGES: 'off' })]);
});
afterAll(() => Promise.all([server.stop(), withoutPages.stop()]));

/** The answer about a password. */
const judged = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  browser(server).post(PATH, fields, { ...OURS, ...headers });

/** The module's path in a page. */
const MODULE = /src="(\/assets\/password-strength\.[\w-]+\.js)"/;

describe('the strength of a new password', () => {
  it.each([
    ['a good one', {}, GOOD, 'Dieses Passwort ist gut.'],
    ['a short one', { password: 'short' }, 'This password is too short.', 'ist zu kurz.'],
    ['a long one', { password: 'x y'.repeat(400) }, 'This password is too long.', 'ist zu lang.'],
    ['one with NUL', { password: 'correct\0horse' }, 'cannot be typed', 'nicht überall eingeben'],
    ['a common one', { password: 'password123' }, 'first that attackers', 'Angreifer als Erstes'],
    ['one with the name', { username: 'Horse' }, 'contains your name', 'enthält Ihren Namen'],
    [
      'one with the address',
      { email: 'battery@example.org' },
      'contains your e-mail address',
      'enthält Ihre E-Mail-Adresse',
    ],
    [
      'one with the service',
      { password: 'my latchkey account' },
      'contains the name of this service',
      'enthält den Namen dieses Dienstes',
    ],
  ])('is said in the language of the page: %s', async (_what, fields, english, german) => {
    const form = { password: 'correct horse battery', ...fields };
    for (const [language, sentence] of [
      ['en', english],
      ['de', german],
    ] as const) {
      const { status, text, headers } = await judged(form, { 'accept-language': language });
      expect([status, text]).toEqual([200, expect.stringContaining(sentence)]);
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(headers.get('cache-control')).toContain('no-store');
    }
  });

  it('counts the name and the address of a signed-in user', async () => {
    const { username, visitor } = await signedInBrowser(server, 'mailbox@example.org');
    const of = async (password: string) => (await visitor.post(PATH, { password })).text;
    expect(await of(`my name is ${username}`)).toContain('contains your name');
    expect(await of('my mailbox is full')).toContain('contains your e-mail address');
    expect(await of(GOOD_PASSWORD)).toBe(GOOD);
  });

  it('is the judgement of the form itself', async () => {
    const form = { username: 'ada', email: '', password: 'my name is ada' };
    const { text } = await browser(server).post('/sign-up', form);
    expect(text).toContain((await judged(form)).text);
  });

  it('ignores a name and an address that are none', async () => {
    const { text } = await judged({ password: GOOD_PASSWORD, username: 'x'.repeat(5_000) });
    expect(text).toBe(GOOD);
  });

  it.each([
    ['a site that is not ours', { 'sec-fetch-site': 'cross-site' }],
    ['another host of the domain', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['no browser', {}],
  ])('is told to our own pages alone, and not to %s', async (_what, headers) => {
    const { status, text } = await browser(server).post(PATH, { password: 'x' }, headers);
    expect([status, text]).toEqual([403, expect.stringContaining('"code":"origin_not_allowed"')]);
  });

  it('needs a password, and takes no body of 10 MB', async () => {
    expect((await judged({ username: 'ada' })).status).toBe(400);
    expect((await judged({ password: '' })).status).toBe(400);
    expect((await judged({ password: 'x'.repeat(10_000_000) })).status).toBe(413);
  });

  it('is told to one network 120 times a minute', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on' });
    const answers = await times(121, () =>
      browser(limited).post(PATH, { password: GOOD_PASSWORD }, OURS),
    );
    expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 120, 429: 1 });
    await limited.stop();
  });
});

it('the pages with a field for a new password load the module, which is small', async () => {
  const { visitor } = await signedInBrowser(server);
  const [reset, verify] = await Promise.all([
    mailedPage(server, 'reset-password'),
    mailedPage(server, 'verify-email'),
  ]);
  for (const path of ['/sign-up', '/account/password', reset.path]) {
    const { text } = await visitor.get(path);
    expect([path, MODULE.test(text)]).toEqual([path, true]);
  }
  for (const path of [verify.path, '/account/reset-password']) {
    expect([path, MODULE.test((await visitor.get(path)).text)]).toEqual([path, false]);
  }
  const file = join(process.cwd(), 'dist/src/pages/password-strength.browser.js');
  expect(statSync(file).size).toBeLessThan(2_000);
});

it('without pages, there is neither the route nor the module', async () => {
  const visitor = browser(withoutPages);
  expect((await visitor.post(PATH, { password: GOOD_PASSWORD })).status).toBe(404);
  const { status, text } = await visitor.get(
    (await mailedPage(withoutPages, 'reset-password')).path,
  );
  expect([status, text.includes('<form'), MODULE.test(text)]).toEqual([200, true, false]);
});

(process.env.TEST_CHROMIUM ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let other: Server;
  let chromium: Browser;
  beforeAll(async () => {
    [other, chromium] = await Promise.all([startServer(), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await chromium.close();
    await other.stop();
  });

  it('is said beneath the field while the user types, and goes with the text', async () => {
    const context = await chromium.newContext({ locale: 'de-DE' });
    const said = watch(context);
    const page = await context.newPage();
    await page.goto(`${other.url}/sign-up`);
    const live = page.locator('.field:has([name=password]) [aria-live=polite]');
    await page.locator('[name=password]').fill('kurz');
    await live.filter({ hasText: 'zu kurz' }).waitFor();
    await page.locator('[name=password]').fill('richtig pferd batterie');
    await live.filter({ hasText: 'Dieses Passwort ist gut.' }).waitFor();
    await page.locator('[name=username]').fill('pferd');
    await live.filter({ hasText: 'enthält Ihren Namen' }).waitFor();
    await page.locator('[name=password]').fill('');
    expect(await live.textContent()).toBe('');
    expect(said).toEqual([]);
    // Its address holds a token, so the page sends no referrer.
    await page.goto(other.url + (await mailedPage(other, 'reset-password')).path);
    await page.locator('[name=password]').fill('richtig pferd batterie');
    await page.getByText('Dieses Passwort ist gut.').waitFor();
    await context.close();
  }, 120_000);
});
