import { ownRoutes } from './support/own-routes.js';
import { type Server, startServer } from './support/server.js';

/** Who may call without a token. A route that is not here has to refuse. */
const PUBLIC = [
  'GET /.well-known/jwks.json',
  'GET /account/:page',
  'GET /docs',
  'GET /docs/',
  'GET /docs/*',
  'GET /docs/LICENSE',
  'GET /docs/docs/swagger-ui-init.js',
  'GET /docs/index.html',
  'GET /docs/swagger-ui-init.js',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
  'GET /openapi.yaml',
  'GET /test-visitors',
  'GET /test-visitors/crash',
  'POST /account/:page',
  'POST /email/confirm',
  'POST /email/undo',
  'POST /email/verification',
  'POST /email/verify',
  'POST /login',
  'POST /password/forgot',
  'POST /password/reset',
  'POST /refresh',
  'POST /register',
];

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Every route of the running server, from its own router; without those of a project's own controllers. */
function routes(): string[] {
  const own = new Set(ownRoutes(server.app).map(({ route }) => route));
  const fastify = server.app.getHttpAdapter().getInstance();
  const stack: [depth: number, path: string][] = [];
  const found: string[] = [];
  for (const line of fastify.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', path = '', methods = ''] =
      /^([│ ]*(?:├── |└── ))(.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    if (indent === '') continue;
    while ((stack.at(-1)?.[0] ?? -1) >= indent.length) stack.pop();
    stack.push([indent.length, path]);
    const whole = stack.map(([, part]) => part).join('');
    for (const method of methods.split(', ').filter(Boolean)) found.push(`${method} ${whole}`);
  }
  return found.filter((route) => !own.has(route.replace(/^HEAD /, 'GET ')));
}

it('knows every route', () => {
  expect(routes()).toEqual(
    expect.arrayContaining(['GET /protected', 'GET /me', 'POST /test-cats/feed', ...PUBLIC]),
  );
});

it('closes every route that is not named as public', async () => {
  const closed = routes().filter(
    (route) => !/^(HEAD|OPTIONS) /.test(route) && !PUBLIC.includes(route),
  );
  expect(closed.sort()).toEqual([
    'DELETE /me',
    'DELETE /me/sessions/:id',
    'DELETE /roles/:name',
    'DELETE /users/:id',
    'GET /audit',
    'GET /me',
    'GET /me/export',
    'GET /me/sessions',
    'GET /protected',
    'GET /roles',
    'GET /test-by-name',
    'GET /test-cats',
    'GET /test-pairs',
    'GET /users',
    'GET /users/:id',
    'PATCH /me',
    'PATCH /users/:id',
    'POST /logout',
    'POST /me/email/verification',
    'POST /test-cats',
    'POST /test-cats/feed',
    'POST /users',
    'POST /users/:id/impersonate',
    'POST /users/:id/password-reset',
    'POST /users/:id/sessions/revoke',
    'PUT /me/email',
    'PUT /me/password',
    'PUT /roles/:name',
  ]);
  for (const route of closed) {
    const [method = '', path = ''] = route.split(' ');
    // Two at once: the tests' own /test-pairs lets nobody through alone.
    const asked = [1, 2].map(() => fetch(server.url + path, { method }));
    for (const response of await Promise.all(asked)) {
      expect([route, response.status]).toEqual([route, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
  }
});
