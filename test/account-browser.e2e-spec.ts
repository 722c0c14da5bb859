import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { ageSessions } from './support/account-pages.js';
import { faultsOf, openBrowser, watch } from './support/page-checks.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { eventually } from './support/wait.js';

/** Passkeys are for this origin. The browser finds the server's own port behind it. */
const ORIGIN = 'http://localhost:3000';

const PATHS = [
  '',
  '/profile',
  '/email',
  '/password',
  '/factors',
  '/factors/app',
  '/factors/passkey',
  '/sessions',
  '/activity',
  '/data',
  '/delete',
];

(process.env.TEST_CHROMIUM ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    server = await startServer({ PUBLIC_URL: ORIGIN });
    browser = await openBrowser(
      `--host-resolver-rules=MAP localhost:3000 127.0.0.1:${server.port}`,
    );
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  let users = 0;

  /** A user that is signed in, in a browser with an authenticator. */
  async function signedIn(options: Parameters<Browser['newContext']>[0] = {}) {
    const username = `visitor${++users}`;
    const { id } = await server.register(username, GOOD_PASSWORD, `${username}@example.org`);
    const context = await browser.newContext(options);
    const said = watch(context);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable', { enableUI: false });
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto(ORIGIN);
    await page.locator('[name=username]').fill(username);
    await page.locator('[name=password]').fill(GOOD_PASSWORD);
    await page.locator('form[action="/sign-in"] button').first().click();
    await page.waitForURL('**/account');
    return { id, context, page, cdp, authenticatorId, said };
  }

  async function addPasskey(page: Page): Promise<void> {
    await page.goto(`${ORIGIN}/account/factors/passkey`);
    await page.locator('#name').fill('My laptop');
    await page.locator('button[data-passkey]').click();
    await page.locator('#codes').waitFor();
  }

  const credentials = async (cdp: CDPSession, authenticatorId: string) =>
    (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length;

  async function expectNoFaults(context: BrowserContext, page: Page, said: string[]) {
    const path = new URL(page.url()).pathname;
    expect([path, await faultsOf(page), said]).toEqual([path, [], []]);
    expect(context.pages()).toHaveLength(1);
  }

  it.each([
    ['en-GB', 'light', 1280],
    ['de-DE', 'dark', 320],
  ] as const)(
    'no page has a fault, or a message on the console: %s, %s, %i px',
    async (locale, colorScheme, width) => {
      const viewport = { width, height: 800 };
      const { id, context, page, said } = await signedIn({ locale, colorScheme, viewport });
      const visit = async () => {
        for (const path of PATHS) {
          await page.goto(`${ORIGIN}/account${path}`);
          await expectNoFaults(context, page, said);
        }
      };
      await visit();
      await addPasskey(page);
      await expectNoFaults(context, page, said);
      await page.goto(`${ORIGIN}/account/factors/app`);
      await page.locator('main form button').click();
      await page.locator('.qr').waitFor();
      await expectNoFaults(context, page, said);
      await visit();
      await page.goto(`${ORIGIN}/account/factors`);
      await page.locator('.row a').click();
      await expectNoFaults(context, page, said);
      await ageSessions(server, id);
      await page.locator('main form button').first().click();
      await page.locator('[name=continue]').first().waitFor({ state: 'attached' });
      // The browser itself notes the status of a refused form.
      expect(said.splice(0)).toEqual([expect.stringContaining('status of 401')]);
      await page.locator('main summary').click();
      await expectNoFaults(context, page, said);
      await context.close();
    },
    180_000,
  );

  it('a passkey is added, confirms its removal, and is forgotten by its authenticator', async () => {
    const { id, context, page, cdp, authenticatorId } = await signedIn();
    await addPasskey(page);
    expect(await credentials(cdp, authenticatorId)).toBe(1);
    await page.goto(`${ORIGIN}/account/factors`);
    await page.locator('.row a').click();
    await ageSessions(server, id);
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
    await page.getByText('The factor is removed.').waitFor();
    await eventually(async () => {
      expect(await credentials(cdp, authenticatorId)).toBe(0);
    });
    await context.close();
  }, 120_000);

  it('recovery codes are copied and downloaded', async () => {
    const { context, page } = await signedIn({
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await addPasskey(page);
    const codes = await page.locator('#codes code').allTextContents();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`${codes.join('\n')}\n`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('recovery-codes.txt');
    await context.close();
  }, 120_000);

  it('in a narrow window, the name of the page opens the navigation by the keyboard', async () => {
    const { context, page, said } = await signedIn({ viewport: { width: 320, height: 640 } });
    await page.goto(`${ORIGIN}/account/profile`);
    const link = page.getByRole('link', { name: 'Devices' });
    expect(await link.isVisible()).toBe(false);
    await page.locator('.nav summary').focus();
    await page.keyboard.press('Enter');
    await link.waitFor();
    await expectNoFaults(context, page, said);
    await link.press('Enter');
    await page.waitForURL('**/account/sessions');
    expect(await page.locator('.nav summary').textContent()).toBe('Devices');
    await context.close();
  }, 120_000);

  it('the keyboard reaches everything on every page', async () => {
    const { context, page } = await signedIn();
    const all = 'a, button, input:not([type=hidden], .hidden), select';
    for (const path of PATHS) {
      await page.goto(`${ORIGIN}/account${path}`);
      const count = await page.locator(all).count();
      const reached = new Set<unknown>();
      for (let press = 0; press < count + 2; press++) {
        await page.keyboard.press('Tab');
        reached.add(
          await page.evaluate(
            `[...document.querySelectorAll('${all}')].indexOf(document.activeElement)`,
          ),
        );
      }
      reached.delete(-1);
      expect([path, reached.size]).toEqual([path, count]);
    }
    await context.close();
  }, 120_000);
});
