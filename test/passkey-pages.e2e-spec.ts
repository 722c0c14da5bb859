import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type CDPSession,
  chromium,
  type Page,
} from 'playwright-core';
import { browser as formBrowser, stateOf, textOf } from './support/pages.js';
import { newUser, optionsOf, post, userWithPasskey } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const PATH = '/sign-in/passkey';

let server: Server;
beforeAll(async () => {
  server = await startServer({ PUBLIC_URL: 'http://localhost:4747' });
});
afterAll(() => server.stop());

describe('a form with the answer of a passkey', () => {
  it('signs its owner in, once', async () => {
    const { username, authenticator } = await userWithPasskey(server);
    const options = await optionsOf(server, '/login/passkey/options');
    const form = { response: JSON.stringify(authenticator.get(options)), remember: 'on' };
    const visitor = formBrowser(server);
    await visitor.post(PATH, form);
    expect(await stateOf(visitor)).toBe(username);
    const again = await formBrowser(server).post(PATH, form);
    expect(again.status).toBe(400);
    expect(textOf(again.text)).toContain('That took too long. Try your passkey again.');
  });

  it.each(['', '{', '[]', 'null', '"x"', '{}', '{"id":1}'])('refuses %s', async (response) => {
    const { status, text } = await formBrowser(server).post(PATH, { response });
    expect([status, textOf(text).includes('This passkey was not accepted.')]).toEqual([400, true]);
  });

  it('tells the browser about a passkey that the server does not know', async () => {
    const { jwt, passkey, authenticator } = await userWithPasskey(server);
    await server.ask('delete', `/me/passkeys/${passkey.id}`, jwt);
    const options = await optionsOf(server, '/login/passkey/options');
    const response = JSON.stringify(authenticator.get(options));
    const { text } = await formBrowser(server).post(PATH, { response });
    expect(textOf(text)).toContain('We do not know this passkey.');
    expect(text).toMatch(/ data-unknown="[\w-]{43}" data-rp-id="localhost"/);
  });
});

it('the module for browsers is small', () => {
  const file = join(process.cwd(), 'dist/src/pages/passkeys.browser.js');
  expect(statSync(file).size).toBeLessThan(8_000);
});

const executablePath = process.env.TEST_CHROMIUM;
(executablePath ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let browser: Browser;
  let origin: string;
  let context: BrowserContext;
  let page: Page;
  let cdp: CDPSession;
  let authenticatorId: string;
  let problems: string[];
  beforeAll(async () => {
    ({ origin } = new URL(server.config.publicUrl));
    // Passkeys belong to the address of the settings, and the server listens on a free port.
    const mapped = `--host-resolver-rules=MAP ${new URL(origin).host} 127.0.0.1:${server.port}`;
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', mapped];
    browser = await chromium.launch({ executablePath, args });
  }, 120_000);
  afterAll(() => browser.close());
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    problems = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable', { enableUI: false });
    ({ authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        // The autofill must not answer before the test asks for it.
        automaticPresenceSimulation: false,
      },
    }));
  });
  afterEach(() => context.close());

  const answerPrompts = (enabled: boolean) =>
    cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });

  /** A user with a passkey in the browser's authenticator. */
  async function enrolled() {
    const { username, jwt } = await newUser(server);
    await page.goto(`${origin}/health/live`);
    await answerPrompts(true);
    const options = await optionsOf(server, '/me/passkeys/options', {}, jwt);
    const response = await page.evaluate<object>(`(async () => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)});
      return (await navigator.credentials.create({ publicKey })).toJSON();
    })()`);
    expect(await post(server, '/me/passkeys', { response }, jwt)).toMatchObject({ status: 201 });
    await answerPrompts(false);
    return { username };
  }

  const signedInAs = (username: string) =>
    page.getByText(`You are signed in already as ${username}`).waitFor();

  it('the button signs in, and keeps the wish to stay signed in', async () => {
    const { username } = await enrolled();
    await page.goto(`${origin}/sign-in`);
    await page.getByLabel('Keep me signed in').check();
    await answerPrompts(true);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    await page.goto(`${origin}/sign-in`);
    await signedInAs(username);
    const cookies = await context.cookies();
    expect(cookies.find(({ name }) => name === 'latchkey_session')?.expires).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }, 120_000);

  it('the Enter key sends the password, also below the button for a passkey', async () => {
    const { username } = await enrolled();
    await context.addCookies([{ name: 'latchkey_way', value: 'passkey', url: origin }]);
    await page.goto(`${origin}/sign-in`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    await page.getByLabel('Name or e-mail address').fill(username);
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
    expect(problems).toEqual([]);
  }, 120_000);

  it('the browser offers passkeys at the name field', async () => {
    const { username } = await enrolled();
    await answerPrompts(true);
    await page.goto(`${origin}/sign-in`);
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    await page.goto(`${origin}/sign-in`);
    await signedInAs(username);
    expect(problems).toEqual([]);
  }, 120_000);

  it('is the second factor after a password', async () => {
    const { username } = await enrolled();
    await page.goto(`${origin}/sign-in`);
    await page.getByLabel('Name or e-mail address').fill(username);
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
    await answerPrompts(true);
    await page.getByRole('button', { name: 'Use your passkey' }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
    await page.goto(`${origin}/sign-in`);
    await signedInAs(username);
    expect(problems).toEqual([]);
  }, 120_000);

  it('a refused prompt shows no problem, and a broken one shows a sentence', async () => {
    await page.goto(`${origin}/sign-in`);
    const problem = page.getByText('Your browser could not use the passkey.');
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await answerPrompts(true);
    const button = page.getByRole('button', { name: 'Sign in with a passkey' });
    const asked = page.waitForResponse(/passkey\/options/);
    await button.click();
    await asked;
    expect(await problem.isVisible()).toBe(false);
    await page.route(/passkey\/options/, (route) => route.abort());
    await button.click();
    await problem.waitFor();
  }, 120_000);

  it('a browser without scripts shows no button', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const shown = await plain.newPage();
    await shown.goto(`${origin}/sign-in`);
    expect(await shown.getByRole('button').allTextContents()).toEqual(['Sign in']);
    await plain.close();
  }, 120_000);
});
