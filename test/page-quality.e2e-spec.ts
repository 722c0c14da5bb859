import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AuthService } from '../src/auth/auth.service.js';
import { ApiError } from '../src/common/api-error.js';
import { personWithApp, wrongCode } from './support/authenticator.js';
import { mailAbout } from './support/mailbox.js';
import { mailedPage, PURPOSES } from './support/mailed-pages.js';
import { faultsOf, openBrowser, tooWide, watch } from './support/page-checks.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/**
 * The languages, schemes and widths in which each page is looked at. A fault of the texts shows in its language, and
 * one of the colours in its scheme, so each needs one look.
 */
const LOOKS = [
  { locale: 'en-GB', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { locale: 'de-DE', colorScheme: 'dark', viewport: { width: 320, height: 640 } },
] as const;

/** A zoom of 200 % in the wide window. */
const ZOOMED = { width: 640, height: 400 };

/** Pages that no other page links, beside those of mailed links. */
const UNLINKED = [
  '/account/reset-password',
  '/verification',
  // A challenge has expired, an account is deleted, and a way back is kept.
  '/sign-in?problem=challenge_invalid',
  '/sign-in/mail?problem=challenge_invalid',
  '/sign-in?done=deleted&return_to=/account/profile',
];

const NAUGHTY = '<img src=x onerror=alert(1)> ${7*7} ﷽ 👩‍👩‍👧';

(process.env.TEST_CHROMIUM ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    server = await startServer({
      SIGN_IN_BY_MAIL: 'on',
      MAIL_FROM: 'Ada Co <id@example.com>',
    });
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  describe.each(LOOKS)('in $locale, $colorScheme', (look) => {
    let context: BrowserContext;
    let said: string[];
    let page: Page;
    beforeAll(async () => {
      context = await browser.newContext({ ...look, reducedMotion: 'reduce' });
      said = watch(context);
      page = await context.newPage();
    });
    afterAll(() => context.close());

    const open = (path: string) => page.goto(server.url + path);

    /** Returns the faults of the page that is shown, and those of a zoom. */
    async function faults(): Promise<string[]> {
      const found = await faultsOf(page);
      if (look.viewport.width < ZOOMED.width) return found;
      await page.setViewportSize(ZOOMED);
      found.push(...(await tooWide(page)));
      await page.setViewportSize(look.viewport);
      return found;
    }

    /** Follows every link of our own from the page that is shown, and checks each page once. */
    async function crawl(start: string): Promise<string[]> {
      const seen = new Set<string>();
      const waiting = [start];
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        if (seen.has(path)) continue;
        seen.add(path);
        await open(path);
        expect([path, await faults()]).toEqual([path, []]);
        const links = await page.evaluate(() =>
          [...document.querySelectorAll('a[href]')].map((link) => (link as HTMLAnchorElement).href),
        );
        for (const link of links) {
          const { origin, pathname, search } = new URL(link);
          if (origin === new URL(server.url).origin) waiting.push(pathname + search);
        }
      }
      return [...seen];
    }

    /** Sends every form of a page without a word in it, and checks the page that says so. */
    async function sendEmpty(path: string): Promise<void> {
      await open(path);
      const forms = await page.locator('main form').count();
      for (let at = 0; at < forms; at++) {
        await open(path);
        const button = page.locator('main form').nth(at).locator('button[type=submit]').first();
        if (!(await button.isVisible())) continue;
        await button.click();
        await page.waitForLoadState();
        expect([path, at, await faults()]).toEqual([path, at, []]);
        const wrong = page.locator('[aria-invalid=true]').first();
        if ((await wrong.count()) > 0) {
          const id = await page.evaluate(() => document.activeElement?.id);
          expect([path, id]).toEqual([path, await wrong.getAttribute('id')]);
        }
      }
    }

    it('every page without a session has no fault', async () => {
      const seen = await crawl('/sign-in');
      expect(seen).toEqual(expect.arrayContaining(['/sign-in', '/sign-up', '/forgot-password']));
      for (const path of seen) await sendEmpty(path);
      const mailed = await Promise.all(PURPOSES.map((purpose) => mailedPage(server, purpose)));
      for (const path of [...mailed.map((page) => page.path), ...UNLINKED]) {
        await open(path);
        expect([path, await faults()]).toEqual([path, []]);
      }
      await sendEmpty('/verification');
    }, 240_000);

    it('every page of an account has no fault', async () => {
      const username = `ada-${look.locale}-${look.colorScheme}`;
      await server.register(username, GOOD_PASSWORD, `${username}@example.com`);
      const { jwt } = await server.login(username);
      await server.ask('patch', '/me', jwt).send({ displayName: NAUGHTY }).expect(200);
      await open('/sign-in');
      await page.locator('[name=username]').fill(username);
      await page.locator('[name=password]').fill(GOOD_PASSWORD);
      await page.locator('main form button[type=submit]').first().click();
      await page.waitForURL(/\/account/);
      const seen = await crawl('/account');
      expect(seen.length).toBeGreaterThan(6);
      await mailAbout(server, `${username}@example.com`, 'Confirm your e-mail address');
      for (const path of seen.filter((one) => /\/(profile|email|password|factors)$/.test(one))) {
        await sendEmpty(path);
      }
    }, 240_000);

    it('the pages between a password and a session have no fault', async () => {
      const { name: username, app } = await personWithApp(
        server,
        `eve-${look.locale}-${look.colorScheme}`,
      );
      await context.clearCookies();
      await open('/sign-in');
      await page.locator('[name=username]').fill(username);
      await page.locator('[name=password]').fill(GOOD_PASSWORD);
      await page.locator('main form button[type=submit]').first().click();
      await page.locator('[name=code]').waitFor();
      expect(await faults()).toEqual([]);
      await page.locator('[name=code]').fill(wrongCode(app.secret));
      await page.keyboard.press('Enter');
      await page.locator('[role=alert]').waitFor();
      expect(await faults()).toEqual([]);
    }, 120_000);

    it('the page for a mailed code has no fault, with a long address', async () => {
      await context.clearCookies();
      await open('/sign-in/mail');
      const domain = `${'verwaltung'.repeat(6)}.${'schifffahrt'.repeat(5)}.example.com`;
      await page.locator('[name=email]').fill(`rentenstelle@${domain}`);
      await page.locator('main form button').click();
      await page.locator('[name=code]').waitFor();
      expect(await faultsOf(page)).toEqual([]);
    }, 120_000);

    it('the pages of a refused form have no fault', async () => {
      const username = `max-${look.locale}-${look.colorScheme}`;
      const { id } = await server.register(username);
      /** Sends the form to sign in, and checks the page that refuses it. */
      const refused = async (status: number, password = GOOD_PASSWORD) => {
        await context.clearCookies();
        await open('/sign-in');
        await page.locator('[name=username]').fill(username);
        await page.locator('[name=password]').fill(password);
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.request().method() === 'POST'),
          page.locator('main form button[type=submit]').first().click(),
        ]);
        await page.locator('.alert.problem').waitFor();
        expect([answer.status(), await faults()]).toEqual([status, []]);
      };
      await refused(401, 'wrong password');
      const auth = server.app.get(AuthService, { strict: false });
      const login = auth.login.bind(auth);
      for (const error of [
        new ApiError('overloaded', { headers: { 'Retry-After': '1' } }),
        new ApiError('too_many_requests', { headers: { 'Retry-After': '90' } }),
      ]) {
        auth.login = () => Promise.reject(error);
        await refused(error.status);
      }
      auth.login = login;
      await server.withDatabase((db) =>
        db.query(`UPDATE users SET disabled_at = 1 WHERE id = '${id}'`),
      );
      await refused(403);
      await open((await mailedPage(server, 'reset-password')).path);
      await page.locator('[name=password]').fill('password');
      await page.locator('main form button[type=submit]').click();
      await page.locator('.field .problem').waitFor();
      expect(await faults()).toEqual([]);
    }, 120_000);

    it('nothing was written to the console, and no policy was violated', () => {
      // Chromium writes a line for each page that is answered by 4xx or 503.
      expect(said.filter((text) => !/status of (4\d\d|503)/.test(text))).toEqual([]);
    });
  });
});
