/**
 * `npm run screenshots`: takes the pictures in `docs/images` of a server that it starts, with Chromium.
 * `npm run screenshots -- DIR` takes every page instead, in three widths, light and dark, in English and German,
 * to look at all of them. `TEST_CHROMIUM` names the browser if it is not `/usr/bin/chromium`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import PostalMime from 'postal-mime';
import { buildIfNewer } from './build-if-newer.js';

const [, , all] = process.argv;
const PASSWORD = 'correct horse battery staple';
const WIDE = { width: 1280, height: 800 };
const HALF = { width: 640, height: 800 };
const NARROW = { width: 320, height: 640 };

/** The pages of a signed-in user, by the names of their pictures. */
const ACCOUNT = {
  account: '/account',
  profile: '/account/profile',
  email: '/account/email',
  password: '/account/password',
  sessions: '/account/sessions',
  factors: '/account/factors',
  activity: '/account/activity',
  data: '/account/data',
  delete: '/account/delete',
};
const OPEN = {
  'sign-in': '/sign-in',
  'sign-up': '/sign-up',
  'forgot-password': '/forgot-password',
  verification: '/verification',
  mail: '/sign-in/mail',
  'invalid-link': '/account/reset-password',
  'not-found': '/nope',
};

/** The pictures of the documents. */
const PICTURES = [
  { name: 'sign-in', path: '/sign-in', viewport: WIDE, colorScheme: 'light' },
  { name: 'sign-in-dark', path: '/sign-in', viewport: NARROW, colorScheme: 'dark', locale: 'de' },
  {
    name: 'authenticator-app',
    path: '/account/factors',
    clicks: ['Add an authenticator app', 'Continue'],
    viewport: WIDE,
    colorScheme: 'light',
  },
  { name: 'sessions', path: '/account/sessions', viewport: WIDE, colorScheme: 'dark' },
];

buildIfNewer();
const dir = mkdtempSync(join(tmpdir(), 'latchkey-screenshots-'));
const port = await freePort();
const url = `http://localhost:${port}`;
const server = spawn(process.execPath, ['dist/src/main.js'], {
  env: {
    PATH: process.env.PATH,
    PORT: String(port),
    DATA_DIR: dir,
    BRAND_NAME: 'Example',
    SIGN_IN_BY_MAIL: 'on',
    LOG_LEVEL: 'error',
  },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  await ready();
  await register();
  if (all === undefined) await takePictures();
  else await takeAll(all);
} finally {
  await browser.close();
  server.kill();
  await once(server, 'exit');
  rmSync(dir, { recursive: true, force: true });
}

async function takePictures() {
  mkdirSync('docs/images', { recursive: true });
  for (const { name, path, clicks = [], ...look } of PICTURES) {
    const page = await signedIn(look, path.startsWith('/account'));
    await page.goto(url + path);
    for (const click of clicks) await page.getByText(click, { exact: true }).click();
    await page.waitForLoadState();
    await page.screenshot({ path: `docs/images/${name}.png` });
    await page.context().close();
  }
}

async function takeAll(to) {
  mkdirSync(to, { recursive: true });
  const mailed = {
    'verify-email': await mailedPath('verify-email'),
    'reset-password': await mailedPath('reset-password'),
  };
  for (const [size, viewport] of Object.entries({ wide: WIDE, half: HALF, narrow: NARROW })) {
    for (const colorScheme of ['light', 'dark']) {
      for (const locale of ['en', 'de']) {
        const look = { viewport, colorScheme, locale };
        const suffix = `${size}-${colorScheme}-${locale}.png`;
        for (const [pages, isSignedIn] of [
          [{ ...OPEN, ...mailed }, false],
          [ACCOUNT, true],
        ]) {
          const page = await signedIn(look, isSignedIn);
          for (const [name, path] of Object.entries(pages)) {
            await page.goto(url + path);
            await page.screenshot({ path: join(to, `${name}-${suffix}`), fullPage: true });
          }
          await page.context().close();
        }
      }
    }
  }
}

/** Opens a page of a new browser, and signs in if asked to. */
async function signedIn(look, isSignedIn) {
  const context = await browser.newContext({ ...look, reducedMotion: 'reduce' });
  const page = await context.newPage();
  if (!isSignedIn) return page;
  await page.goto(`${url}/sign-in`);
  await page.locator('[name=username]').fill('ada');
  await page.locator('[name=password]').fill(PASSWORD);
  await page.locator('form[action="/sign-in"] button[type=submit]').click();
  await page.waitForURL(`${url}/account`);
  return page;
}

async function register() {
  const body = JSON.stringify({
    username: 'ada',
    password: PASSWORD,
    email: 'ada@example.com',
    displayName: 'Ada Lovelace',
  });
  await post('/register', body, 201);
  await post('/password/forgot', JSON.stringify({ email: 'ada@example.com' }), 202);
}

async function post(path, body, expected) {
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(url + path, { method: 'POST', headers, body });
  if (status !== expected) throw new Error(`POST ${path} answered ${status}`);
}

/** Resolves to the path of a mailed link when its mail is there. */
async function mailedPath(purpose) {
  const outbox = join(dir, 'outbox');
  for (;;) {
    for (const file of existsSync(outbox) ? readdirSync(outbox) : []) {
      const mail = await PostalMime.parse(readFileSync(join(outbox, file)));
      const path = new RegExp(`/account/${purpose}\\?token=[\\w-]+`).exec(mail.text ?? '');
      if (path) return path[0];
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Resolves when the server answers. */
async function ready() {
  for (;;) {
    if (server.exitCode !== null) throw new Error('The server did not start');
    if ((await fetch(`${url}/health/ready`).catch(() => undefined))?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  return free;
}
