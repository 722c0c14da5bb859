import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser, watch } from './support/page-checks.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

(process.env.TEST_CHROMIUM ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let server: Server;
  let browser: Browser;
  /** A site of another host name, which links to the pages, frames them, and sends their form. */
  let other: HttpServer;
  let ids: string;
  let app: string;
  beforeAll(async () => {
    server = await startServer();
    ids = `http://id.localhost:${server.port}`;
    await server.register('ada');
    other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(`<!doctype html>
        <a href="${ids}/sign-in">Go on</a>
        <form method="post" action="${ids}/sign-in">
          <input name="username" value="ada"><input name="password" value="${GOOD_PASSWORD}">
          <button>Win a prize</button>
        </form>
        <iframe src="${ids}/sign-in"></iframe>`);
    });
    await once(other.listen(0, '127.0.0.1'), 'listening');
    app = `http://app.localhost:${(other.address() as AddressInfo).port}`;
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
    other.close();
  });

  let context: BrowserContext;
  let page: Page;
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  async function signIn(on = page): Promise<void> {
    await on.goto(`${ids}/sign-in`);
    await on.locator('[name=username]').fill('ada');
    await on.locator('[name=password]').fill(GOOD_PASSWORD);
    await Promise.all([
      on.waitForResponse((response) => response.request().method() === 'POST'),
      on.locator('form[action="/sign-in"] button').first().click(),
    ]);
    await on.waitForLoadState();
  }
  const isSignedIn = async () =>
    (await page.getByRole('heading', { level: 1 }).textContent()) === 'You are signed in';

  it('a link on another site leads to a browser that is signed in', async () => {
    await signIn();
    await page.goto(app);
    await page.getByText('Go on').click();
    await page.waitForURL(`${ids}/**`);
    expect(await isSignedIn()).toBe(true);
  });

  it('a form of another site signs nobody in, and no frame shows a page', async () => {
    await page.goto(app);
    expect(await page.frames()[1]?.locator('input').count()).toBe(0);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.getByText('Win a prize').click(),
    ]);
    expect(answer.status()).toBe(403);
    await page.goto(`${ids}/sign-in`);
    expect(await isSignedIn()).toBe(false);
  });

  it('the back button shows no account after the user has signed out', async () => {
    await signIn();
    await page.goto(`${ids}/account`);
    const account = await page.getByRole('heading', { level: 1 }).textContent();
    await page.locator('form[action="/sign-out"] button').first().click();
    await page.waitForURL(/done=signed-out/);
    await page.goBack();
    await page.waitForURL(/\/sign-in/);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).not.toBe(account);
    expect(await page.locator('[name=password]').count()).toBe(1);
  });

  it('a page that was open for too long asks to sign in, and a second tab has the new account', async () => {
    await server.register('bob');
    await signIn();
    await page.goto(`${ids}/account/profile`);
    await server.withDatabase((db) => db.query('UPDATE sessions SET expires_at = 1'));
    await page.locator('main form button').first().click();
    await page.waitForURL(/\/sign-in\?return_to=/);
    await page.locator('[name=username]').fill('bob');
    await page.locator('[name=password]').fill(GOOD_PASSWORD);
    await page.locator('form[action="/sign-in"] button').first().click();
    await page.waitForURL(`${ids}/account/profile`);
    const second = await context.newPage();
    await second.goto(`${ids}/account`);
    expect(await second.textContent('body')).toContain('bob');
  });

  it('password managers find the fields that they fill', async () => {
    const said = watch(context);
    await page.goto(`${ids}/sign-in`);
    expect(await page.locator('[name=username]').getAttribute('autocomplete')).toMatch(/^username/);
    expect(await page.locator('[name=password]').getAttribute('autocomplete')).toBe(
      'current-password',
    );
    expect(said).toEqual([]);
  });
});
