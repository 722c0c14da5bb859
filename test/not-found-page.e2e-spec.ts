import { type Server, startServer } from './support/server.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const JSON_ERROR = { msg: 'This path does not exist', code: 'not_found' };

let server: Server;
let withoutPages: Server;
beforeAll(async () => {
  [server, withoutPages] = await Promise.all([startServer(), startServer({ PAGES: 'off' })]);
});
afterAll(() => Promise.all([server.stop(), withoutPages.stop()]));

const ask = (path: string, headers: Record<string, string>, at = server) =>
  fetch(at.url + path, { headers });

describe('an address that does not exist', () => {
  it.each(['/nope', '/account/nope', '/%3Cscript%3Ealert(1)%3C/script%3E'])(
    'shows browsers a page: %s',
    async (path) => {
      for (const [language, sentence] of [
        ['en', 'There is no page at this address.'],
        ['de', 'Unter dieser Adresse gibt es keine Seite.'],
      ] as const) {
        const answer = await ask(path, { accept: BROWSER, 'accept-language': language });
        expect(answer.status).toBe(404);
        const headers = ['content-type', 'content-language', 'vary', 'cache-control'];
        expect(headers.map((name) => answer.headers.get(name))).toEqual([
          'text/html; charset=utf-8',
          language,
          'Accept, Accept-Language',
          'no-store',
        ]);
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
        const text = await answer.text();
        expect(text).toContain(sentence);
        expect(text).toContain('href="/"');
        expect(text).not.toContain('alert(1)');
      }
    },
  );

  it.each([
    '*/*',
    'application/json',
    'application/json, text/html;q=0.5',
    'text/html;q=0, */*',
    'text/plain',
    '\t;;,q=x,/',
    `${'a/b,'.repeat(2_000)}text/html`,
  ])('is told to other clients in JSON (Accept header %#)', async (accept) => {
    const answer = await ask('/nope', { accept });
    expect([answer.status, await answer.json()]).toEqual([404, JSON_ERROR]);
  });

  it('is told to browsers in JSON if the pages are off', async () => {
    const answer = await ask('/nope', { accept: BROWSER }, withoutPages);
    expect([answer.status, await answer.json()]).toEqual([404, JSON_ERROR]);
  });
});

describe('an address that is malformed', () => {
  it.each([
    ['/%ff', 400, 'bad_request'],
    ['/%', 400, 'bad_request'],
    ['/account/%c0%80', 400, 'bad_request'],
    [`/assets/${'a'.repeat(150)}`, 414, 'uri_too_long'],
  ])('has the same page for browsers, and JSON for others: %s', async (path, status, code) => {
    const page = await ask(path, { accept: BROWSER, 'accept-language': 'de' });
    const headers = ['content-type', 'content-language', 'vary', 'cache-control'];
    expect([page.status, ...headers.map((name) => page.headers.get(name))]).toEqual([
      status,
      'text/html; charset=utf-8',
      'de',
      'Accept, Accept-Language',
      'no-store',
    ]);
    expect(page.headers.get('content-security-policy')).toContain("style-src 'self'");
    expect(page.headers.get('referrer-policy')).toBe('same-origin');
    expect(await page.text()).toContain('Unter dieser Adresse gibt es keine Seite.');
    for (const at of [server, withoutPages]) {
      const accept = at === server ? 'application/json' : BROWSER;
      const other = await ask(path, { accept }, at);
      expect([other.status, await other.json()]).toMatchObject([status, { code }]);
    }
  });
});

it('says 405 to a browser that sends another method', async () => {
  const answer = await fetch(`${server.url}/sign-in`, {
    method: 'PUT',
    headers: { accept: BROWSER },
  });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST']);
});
