import { type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const ask = async (method: string, path: string) => {
  const response = await fetch(server.url + path, { method });
  const text = await response.text();
  return [
    response.status,
    response.headers.get('allow'),
    text === '' ? null : (JSON.parse(text) as { code?: string }).code,
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
  ['POST', '/'],
])('%s %s is a 404: there is nothing at the address', async (method, path) => {
  expect(await ask(method, path)).toEqual([404, null, 'not_found']);
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
    const wrong = await fetch(`${other.url}/login`, {
      headers: { origin: 'https://app.example.com' },
    });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
  } finally {
    await other.stop();
  }
});
