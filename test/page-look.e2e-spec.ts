import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './support/http.js';
import { browser } from './support/pages.js';
import { startProcess } from './support/server-process.js';
import { type Server, startServer } from './support/server.js';

/** The files that all pages load, and the settings by which an operator changes their look. */
let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe('the files of pages', () => {
  it('are kept by browsers forever, in a form that they read', async () => {
    const { text } = await browser(server).get('/sign-in');
    const paths = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.length).toBeGreaterThanOrEqual(2);
    for (const path of paths) {
      for (const [accepted, encoding] of [
        ['br, gzip', 'br'],
        ['gzip;q=1, br;q=0', 'gzip'],
        ['identity', null],
      ] as const) {
        const response = await fetch(server.url + path, {
          headers: { 'accept-encoding': accepted },
        });
        expect(response.status).toBe(200);
        expect(response.headers.get('content-encoding')).toBe(encoding);
        expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      }
    }
  });

  it.each(['x', 'style.css', '..%2f..%2fpackage.json', '__proto__', 'constructor', '%00'])(
    'are no other files: %s',
    async (file) => {
      expect((await fetch(`${server.url}/assets/${file}`)).status).toBe(404);
    },
  );
});

describe('with PAGES=off', () => {
  it('there are no pages, and the API is as it was', async () => {
    const off = await startServer({ PAGES: 'off' });
    try {
      for (const path of ['/', '/sign-in', '/account']) {
        expect([path, await codeOf(off.http.get(path))]).toEqual([path, 'not_found']);
      }
      await off.register('ada');
      await expect(off.login('ada')).resolves.toBeDefined();
    } finally {
      await off.stop();
    }
  });
});

/** Settings of an operator's own look, whose files are in `dir`. */
function brandIn(dir: string): Record<string, string> {
  const [logo, css] = [join(dir, 'logo.svg'), join(dir, 'pages.css')];
  writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"/>');
  writeFileSync(css, '.own { color: red; }');
  return {
    BRAND_NAME: 'Ada & Söhne',
    BRAND_LOGO: logo,
    BRAND_COLOR: '#ffff00',
    PAGES_CSS: css,
    TERMS_URL: 'https://example.com/terms',
  };
}

describe('the look of pages', () => {
  it('is the operator’s', async () => {
    const own = await startServer(({ dataDir }) => Promise.resolve(brandIn(dataDir)));
    try {
      const { text } = await browser(own).get('/sign-in');
      expect(text).toMatch(/<img src="\/assets\/logo\.[\w-]{12}\.svg" alt="Ada &amp; Söhne"/);
      expect(text).toContain('<a href="https://example.com/terms">Terms</a>');
      const [, style = ''] = /href="(\/assets\/style[^"]+)"/.exec(text) ?? [];
      const css = await (await fetch(own.url + style)).text();
      // Yellow cannot be read on white, so it is darker there.
      expect(css.slice(0, 100)).toMatch(
        /^:root\{--accent:#[0-7][\da-f][0-7][\da-f]00;--on-accent:#fff\}/,
      );
      expect(css.slice(-50)).toMatch(/\.own \{/);
    } finally {
      await own.stop();
    }
  });

  it('cannot be made from a file that is not there', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'latchkey-look-'));
    const { exit } = startProcess(dir, { PAGES_CSS: '/nowhere/pages.css' });
    const { code, output } = await exit;
    rmSync(dir, { recursive: true });
    expect([code, output]).toEqual([1, expect.stringContaining('PAGES_CSS')]);
  });
});
