import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { person } from './support/admins.js';
import { unused } from './support/authenticator.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const run = promisify(execFile);
const { TEST_CHROMIUM, TEST_OATHTOOL, TEST_ZBARIMG } = process.env;

let server: Server;
let folder: string;
beforeAll(async () => {
  server = await startServer({ JWT_ISSUER: 'https://id.example.org/auth' });
  folder = await mkdtemp(join(tmpdir(), 'latchkey-qr-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Returns the code that `oathtool` makes of a secret. */
async function oathtool(secret: string): Promise<string> {
  const { stdout } = await run(TEST_OATHTOOL ?? '', ['--totp', '--base32', secret]);
  return stdout.trim();
}

/** Shows an SVG image in a page under the policy of pages, and takes a picture of it. */
async function picture(svg: string): Promise<string> {
  const browser = await chromium.launch({
    executablePath: TEST_CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 600, height: 600 } });
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    await page.route('**/*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: { 'content-security-policy': "default-src 'none'" },
        body: `<!doctype html><title>QR</title>${svg}`,
      }),
    );
    await page.goto('http://localhost/');
    const path = join(folder, 'qr.png');
    await page.screenshot({ path });
    expect(problems).toEqual([]);
    return path;
  } finally {
    await browser.close();
  }
}

(TEST_OATHTOOL ? it : it.skip)('takes the codes of oathtool (needs oathtool)', async () => {
  const { ask, outcome } = await person(server, 'ada');
  const { body } = await ask('POST', '/me/factors/totp', {});
  const secret = String(body.secret);
  const confirm = `/me/factors/totp/${String(body.id)}/confirm`;
  expect(await outcome('POST', confirm, { code: await oathtool(secret) })).toBe(200);
  await server.withDatabase(unused);
  const login = await server.http.post('/login').send({ username: 'ada', password: GOOD_PASSWORD });
  const { challenge } = login.body as { challenge: string };
  const proof = { challenge, code: await oathtool(secret) };
  await server.http.post('/login/second-factor').send(proof).expect(200);
});

(TEST_ZBARIMG && TEST_CHROMIUM ? it : it.skip)(
  'draws a QR code that zbarimg reads (needs zbarimg and chromium)',
  async () => {
    // The longest address is that of a long name, whose letters take many bytes.
    for (const name of ['bob', 'ж'.repeat(64)]) {
      const { ask } = await person(server, name);
      const { body } = await ask('POST', '/me/factors/totp', {});
      const png = await picture(String(body.qr));
      const { stdout } = await run(TEST_ZBARIMG ?? '', ['--quiet', '--raw', png]);
      expect(stdout.trim()).toBe(body.uri);
      const uri = new URL(String(body.uri));
      expect([uri.host, decodeURIComponent(uri.pathname)]).toEqual([
        'totp',
        `/id.example.org:${name}`,
      ]);
      expect([...uri.searchParams]).toEqual([
        ['issuer', 'id.example.org'],
        ['secret', body.secret],
        ['algorithm', 'SHA1'],
        ['digits', '6'],
        ['period', '30'],
      ]);
    }
  },
);
