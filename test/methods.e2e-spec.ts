import { sendRaw, sendRawForHead } from './support/http.js';
import { type Server, startServer } from './support/server.js';

/** Headers of every answer, as lines. */
const PROTECTING = [
  "content-security-policy: default-src 'none'",
  'x-content-type-options: nosniff',
  'referrer-policy: no-referrer',
  'strict-transport-security: max-age=',
  'cross-origin-opener-policy: same-origin',
  'cache-control: no-store',
];

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const ask = async (method: string, path: string, init: RequestInit = {}) => {
  const response = await fetch(server.url + path, { method, ...init });
  const body = await response.text();
  return [
    response.status,
    response.headers.get('allow'),
    body === '' ? null : (JSON.parse(body) as { code?: string }).code,
  ];
};

it.each([
  ['GET', '/login', 'OPTIONS, POST'],
  ['HEAD', '/login', 'OPTIONS, POST'],
  ['DELETE', '/login', 'OPTIONS, POST'],
  ['PROPFIND', '/login', 'OPTIONS, POST'],
  ['PATCH', '/protected', 'GET, HEAD, OPTIONS'],
  ['POST', '/protected?x=1', 'GET, HEAD, OPTIONS'],
  ['POST', '/me', 'DELETE, GET, HEAD, OPTIONS, PATCH'],
  ['PUT', '/users/some-id', 'DELETE, GET, HEAD, OPTIONS, PATCH'],
  ['POST', '/health/live', 'GET, HEAD, OPTIONS'],
  ['DELETE', '/test-cats', 'GET, HEAD, OPTIONS, POST'],
  ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
])('%s %s is a 405 that names the methods of the address', async (method, path, allow) => {
  const code = method === 'HEAD' ? null : 'method_not_allowed';
  expect(await ask(method, path)).toEqual([405, allow, code]);
});

it.each([
  ['GET', '/nope'],
  ['DELETE', '/nope'],
  ['OPTIONS', '/nope'],
  ['POST', '/users/some-id/nope'],
  ['POST', '/login/'],
  ['GET', '/LOGIN'],
  ['DELETE', '/docs/nope'],
  ['POST', '/nothing/here'],
])('%s %s is a 404: there is nothing at the address', async (method, path) => {
  expect(await ask(method, path)).toEqual([404, null, 'not_found']);
});

it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json'])(
  'says so whatever body comes along, here %s',
  async (type) => {
    const init = { headers: { 'content-type': type }, body: 'a=b' };
    expect(await ask('POST', '/nope', init)).toEqual([404, null, 'not_found']);
    const allow = 'GET, HEAD, OPTIONS';
    expect(await ask('POST', '/protected', init)).toEqual([405, allow, 'method_not_allowed']);
    const large = { ...init, body: 'a'.repeat(70_000) };
    expect(await ask('POST', '/nope', large)).toEqual([413, null, 'body_too_large']);
  },
);

it.each([
  ['no Host', 'GET /health/live HTTP/1.1\r\n', 400],
  ['two Hosts', 'GET /health/live HTTP/1.1\r\nHost: a\r\nhost: b\r\n', 400],
  ['no Host in HTTP/1.0', 'GET /health/live HTTP/1.0\r\n', 200],
])('answers a request with %s in the one shape', async (_what, head, status) => {
  const body =
    status === 200
      ? { status: 'ok' }
      : { msg: 'The server could not understand the request', code: 'bad_request' };
  const answer = await sendRaw(server.port, `${head}Connection: close\r\n\r\n`);
  expect(answer).toEqual({ status, body });
});

it('answers OPTIONS with the methods of the address, and HEAD as GET without the body', async () => {
  expect(await ask('OPTIONS', '/login')).toEqual([204, 'OPTIONS, POST', null]);
  expect(await ask('OPTIONS', '/me')).toEqual([204, 'DELETE, GET, HEAD, OPTIONS, PATCH', null]);
  expect(await ask('HEAD', '/health/live')).toEqual([200, null, null]);
  expect(await ask('HEAD', '/protected')).toEqual([401, null, null]);
});

it('leaves preflights to CORS', async () => {
  const other = await startServer({ CORS_ORIGINS: 'https://app.example.com' });
  try {
    const response = await fetch(`${other.url}/login`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example.com',
    ]);
    expect(PROTECTING.filter((line) => !response.headers.has(line.split(':')[0] ?? ''))).toEqual(
      [],
    );
    // OPTIONS without the headers of a preflight asks for the methods, as it does without CORS.
    for (const headers of [new Headers(), new Headers({ origin: 'https://app.example.com' })]) {
      const plain = await fetch(`${other.url}/login`, { method: 'OPTIONS', headers });
      expect([plain.status, plain.headers.get('allow')]).toEqual([204, 'OPTIONS, POST']);
    }
    const wrong = await fetch(`${other.url}/login`, {
      headers: { origin: 'https://app.example.com' },
    });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
  } finally {
    await other.stop();
  }
});

describe('headers', () => {
  it('protects every answer, refusals too', async () => {
    for (const path of ['/health/live', '/protected', '/nope', '/test-visitors/crash']) {
      const { headers } = await server.http.get(path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';base-uri 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age=31536000') as string,
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });

  const HOST = 'Host: a\r\n';
  const BODY = 'Content-Length: 2\r\nTransfer-Encoding: chunked';
  it.each([
    ['an address that cannot be decoded', `GET /%ff HTTP/1.1\r\n${HOST}`, 400],
    ['a name of 150 bytes', `GET /assets/${'a'.repeat(150)} HTTP/1.1\r\n${HOST}`, 414],
    ['a head of 17 KB', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\n${HOST}`, 431],
    ['no Host', 'GET / HTTP/1.1\r\n', 400],
    ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}`, 400],
    ['another version', `GET / HTTP/3.0\r\n${HOST}`, 400],
    ['no version', 'hello\r\n', 405],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${HOST}`, 405],
    ['an expectation', `GET / HTTP/1.1\r\n${HOST}Expect: x\r\n`, 417],
    ['two lengths', `POST /login HTTP/1.1\r\n${HOST}${BODY}\r\n`, 400],
  ])('protects the answer to %s', async (_what, request, status) => {
    const withCors = await startServer({ CORS_ORIGINS: 'https://app.example.com' });
    try {
      for (const { port } of [server, withCors]) {
        const answer = await sendRawForHead(port, `${request}Connection: close\r\n\r\n`);
        const error = { msg: expect.any(String) as string, code: expect.any(String) as string };
        expect([answer.status, answer.body]).toEqual([status, error]);
        const { head } = answer;
        expect(PROTECTING.filter((line) => !head.includes(`\r\n${line}`))).toEqual([]);
        expect(head).toMatch(/\r\nx-request-id: [\w-]{36}(\r\n|$)/);
      }
    } finally {
      await withCors.stop();
    }
  });

  it('protects the answer to a request that takes too long', async () => {
    const { status, head } = await sendRawForHead(server.port, `GET / HTTP/1.1\r\n${HOST}`);
    expect([status, PROTECTING.filter((line) => !head.includes(`\r\n${line}`))]).toEqual([408, []]);
  });

  it('has CORS off', async () => {
    const { headers } = await server.http.get('/health/live').set('origin', 'https://a.example');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('lets the named origins in and no look-alike', async () => {
    const other = await startServer({
      CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
    });
    try {
      const allowed = async (origin: string) =>
        (await other.http.get('/health/live').set('origin', origin)).headers[
          'access-control-allow-origin'
        ];
      expect(await allowed('https://app.example.com')).toBe('https://app.example.com');
      for (const origin of [
        'null',
        'http://app.example.com',
        'https://app.example.com.evil.example',
        'https://evil-app.example.com',
      ]) {
        expect(await allowed(origin)).toBeUndefined();
      }
    } finally {
      await other.stop();
    }
  });
});
