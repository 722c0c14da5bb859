import { UserChangesService } from '../src/users/user-changes.service.js';
import { asking, type Person, person } from './support/admins.js';
import { ownRoutes } from './support/own-routes.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** A status if it is a success or a redirect, else the code of the refusal. */
type Outcome = number | string;

/** Who may call a route of Latchkey, and how it answers the request of this test. */
interface Access {
  /** The answer to a user with a good token and, where one is asked for, the permission. */
  good: Outcome;
  /** False if the route looks at no token. */
  guarded: boolean;
  /** The permission that the route asks for. */
  permission?: string;
  /** True if the route refuses an administrator who acts for the user. */
  ownAlone?: boolean;
  body?: unknown;
}

const open = (good: Outcome): Access => ({ good, guarded: false });
const signedIn = (good: Outcome): Access => ({ good, guarded: true });
const ownAlone = (good: Outcome, body?: unknown): Access => ({
  good,
  guarded: true,
  ownAlone: true,
  body,
});
const permitted = (permission: string, good: Outcome, more: Partial<Access> = {}): Access => ({
  good,
  guarded: true,
  permission,
  ...more,
});

/** Every route of Latchkey. A new one fails the test until it stands here. */
const TABLE: Record<string, Access> = {
  'GET /.well-known/jwks.json': open(200),
  'GET /.well-known/webauthn': open('not_found'),
  'GET /docs': open(200),
  'GET /docs/': open(200),
  'GET /docs/favicon-32x32.png': open(200),
  'GET /docs/start.js': open(200),
  'GET /docs/swagger-ui-bundle.js': open(200),
  'GET /docs/swagger-ui.css': open(200),
  'GET /health/live': open(200),
  'GET /health/ready': open(200),
  'GET /metrics': open(200),
  'GET /openapi.json': open(200),
  'GET /openapi.yaml': open(200),

  // Pages for browsers. They take no token, and no form without a browser's headers.
  'GET /': open(303),
  'GET /assets/:file': open('not_found'),
  'GET /sign-in': open(200),
  'POST /sign-in': open(403),
  'GET /sign-in/passkey': open(303),
  'POST /sign-in/passkey': open(403),
  'GET /sign-in/mail': open(200),
  'POST /sign-in/mail': open(403),
  'GET /sign-in/mail/verify': open(303),
  'POST /sign-in/mail/verify': open(403),
  'GET /sign-in/second-factor': open(303),
  'POST /sign-in/second-factor': open(403),
  'POST /sign-out': open(403),
  'GET /sign-up': open(200),
  'POST /sign-up': open(403),
  'GET /forgot-password': open(200),
  'POST /forgot-password': open(403),
  'GET /verification': open(200),
  'POST /verification': open(403),
  'POST /password-strength': open('origin_not_allowed'),
  'GET /account': open(303),
  'GET /account/activity': open(303),
  'GET /account/confirm': open(303),
  'POST /account/confirm': open(403),
  'GET /account/data': open(303),
  'POST /account/data': open(403),
  'GET /account/delete': open(303),
  'POST /account/delete': open(403),
  'GET /account/email': open(303),
  'POST /account/email': open(403),
  'GET /account/email/verification': open(303),
  'POST /account/email/verification': open(403),
  'GET /account/factors': open(303),
  'GET /account/factors/:id': open(303),
  'POST /account/factors/:id': open(403),
  'GET /account/factors/:id/remove': open(303),
  'POST /account/factors/:id/remove': open(403),
  'GET /account/factors/app': open(303),
  'POST /account/factors/app': open(403),
  'GET /account/factors/app/confirm': open(303),
  'POST /account/factors/app/confirm': open(403),
  'GET /account/factors/passkey': open(303),
  'POST /account/factors/passkey': open(403),
  'POST /account/factors/recovery-codes': open(403),
  'GET /account/password': open(303),
  'POST /account/password': open(403),
  'GET /account/profile': open(303),
  'POST /account/profile': open(403),
  'GET /account/sessions': open(303),
  'GET /account/sessions/end': open(303),
  'POST /account/sessions/end': open(403),
  'GET /account/sessions/end-others': open(303),
  'POST /account/sessions/end-others': open(403),

  'GET /account/:page': open(200),
  'POST /account/:page': open(400),
  'POST /email/confirm': open('missing_parameter'),
  'POST /email/undo': open('missing_parameter'),
  'POST /email/verification': open('missing_parameter'),
  'POST /email/verify': open('missing_parameter'),
  'POST /login': open('missing_parameter'),
  'POST /login/mail': open('missing_parameter'),
  'POST /login/mail/verify': open('missing_parameter'),
  'POST /login/passkey': open('missing_parameter'),
  'POST /login/passkey/options': open(200),
  'POST /login/second-factor': open('missing_parameter'),
  'POST /password/forgot': open('missing_parameter'),
  'POST /password/reset': open('missing_parameter'),
  'POST /refresh': open('missing_parameter'),
  'POST /register': open('missing_parameter'),

  'GET /forward-auth': signedIn(200),
  'GET /protected': signedIn(200),
  'POST /logout': ownAlone(204),

  'GET /me': signedIn(200),
  'PATCH /me': ownAlone(200, { displayName: 'Walker' }),
  'DELETE /me': ownAlone(204),
  'GET /me/export': ownAlone(200),
  'GET /me/sessions': signedIn(200),
  'DELETE /me/sessions/:id': ownAlone('not_found'),
  'POST /me/email/verification': ownAlone('email_missing'),
  'GET /me/factors': signedIn(200),
  'PATCH /me/factors/:id': ownAlone('not_found', { name: 'Phone' }),
  'DELETE /me/factors/:id': ownAlone('not_found'),
  'POST /me/factors/totp': ownAlone(201),
  'POST /me/factors/totp/:id/confirm': ownAlone('not_found', { code: '123456' }),
  'GET /me/passkeys': signedIn(200),
  'POST /me/passkeys': ownAlone('missing_parameter'),
  'POST /me/passkeys/options': ownAlone(200),
  'PATCH /me/passkeys/:id': ownAlone('not_found', { name: 'My phone' }),
  'DELETE /me/passkeys/:id': ownAlone('not_found'),
  'POST /me/recovery-codes': ownAlone('not_found'),
  'POST /me/step-up': ownAlone('missing_parameter'),
  'PUT /me/email': ownAlone(202, { email: 'moved@example.com' }),
  'PUT /me/password': ownAlone(204, { new_password: 'another good pass phrase' }),

  'GET /audit': permitted('audit:read', 200),
  'GET /users': permitted('users:read', 200),
  'GET /users/:id': permitted('users:read', 200),
  'POST /users': permitted('users:write', 'missing_parameter'),
  'PATCH /users/:id': permitted('users:write', 200, { body: { disabled: {} } }),
  'DELETE /users/:id': permitted('users:write', 204),
  'POST /users/:id/password-reset': permitted('users:write', 'email_missing'),
  'POST /users/:id/sessions/revoke': permitted('sessions:revoke', 200),
  'POST /users/:id/impersonate': permitted('users:impersonate', 200, { ownAlone: true }),
  'DELETE /users/:id/factors/:factor': permitted('factors:reset', 'not_found', { ownAlone: true }),
  'GET /roles': permitted('roles:read', 200),
  'PUT /roles/:name': permitted('roles:write', 200, { body: { permissions: ['roles:write'] } }),
  'DELETE /roles/:name': permitted('roles:write', 204),
};

const permissions = [
  ...new Set(Object.values(TABLE).flatMap(({ permission }) => permission ?? [])),
];
const nameOf = (permission: string) => permission.replace(':', '-');

let server: Server;
let admin: Person;
/** Users whose tokens are no longer valid. */
let disabled: Person;
let stale: Person;
/** An administrator to act for others. */
let actor: Person;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on' });
  admin = await person(server, 'Root', ['admin']);
  actor = await person(server, 'Actor', ['admin']);
  for (const permission of permissions) {
    const others = permissions.filter((other) => other !== permission);
    await admin.ask('PUT', `/roles/has-${nameOf(permission)}`, { permissions: [permission] });
    await admin.ask('PUT', `/roles/lacks-${nameOf(permission)}`, { permissions: others });
  }
  const changes = server.app.get(UserChangesService, { strict: false });
  disabled = await person(server, 'Disabled', ['admin']);
  await changes.disable(disabled.id);
  stale = await person(server, 'Stale', ['admin']);
  await changes.setRoles(stale.id, ['admin', 'has-users-read']);
});
afterAll(() => server.stop());

/** Every route of the running server, from its own router; without a project's own controllers. */
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

let count = 0;
const fresh = () => `Walker${count++}`;

/**
 * Asks a route with a token, for a user, a role or a page made for this one request. `makeToken` makes the
 * token after them: the new role would end an impersonation.
 */
async function ask(
  route: string,
  { body }: Access,
  makeToken?: string | (() => Promise<string>),
): Promise<Outcome> {
  const [method = '', pattern = ''] = route.split(' ');
  const roleName = `role${count++}`;
  if (pattern.includes('/roles/')) {
    await admin.ask('PUT', `/roles/${roleName}`, { permissions: ['roles:write'] });
  }
  const id = pattern.includes('/users/:id') ? (await server.register(fresh())).id : 'none';
  const jwt = typeof makeToken === 'function' ? await makeToken() : makeToken;
  const path = pattern
    .replace(':id', id)
    .replace(':name', roleName)
    .replace(':page', 'verify-email');
  const sends = method !== 'GET' && method !== 'DELETE' && method !== 'HEAD';
  const response = await fetch(server.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(jwt !== undefined && { authorization: `Bearer ${jwt}` }),
      ...(sends && { 'content-type': 'application/json' }),
    },
    ...(sends && { body: JSON.stringify(body ?? {}) }),
  });
  const text = await response.text();
  if (response.status < 400) return response.status;
  if (response.status === 401 && jwt === undefined && method !== 'POST') {
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  }
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const refused = (isJson && text !== '' ? JSON.parse(text) : {}) as { code?: string };
  return refused.code ?? response.status;
}

/** A new user with a role, and the token of an administrator who acts for the user. */
async function actingFor(roles: string[]): Promise<string> {
  const { id } = await person(server, fresh(), roles);
  const { body } = await actor.ask('POST', `/users/${id}/impersonate`);
  return body.jwt as string;
}

it('has a table of all routes', () => {
  const found = routes().filter((route) => !/^(HEAD|OPTIONS) |^\w+ \/test-/.test(route));
  // A route that is missing in the table, or in the server, is shown here.
  expect(found.sort()).toEqual(Object.keys(TABLE).sort());
});

describe.each(Object.entries(TABLE))('%s', (route, access) => {
  const { good, guarded, permission, ownAlone: refusesActing = false } = access;
  const roles = permission === undefined ? [] : [`has-${nameOf(permission)}`];

  it(`${guarded ? 'refuses' : 'takes'} a request without a token`, async () => {
    expect(await ask(route, access)).toBe(guarded ? 'missing_authorization' : good);
    if (route.startsWith('GET ') && guarded) {
      expect(await ask(route.replace('GET', 'HEAD'), access)).toBe(401);
    }
  });

  it('takes a good token', async () => {
    const { jwt } = await person(server, fresh(), roles);
    expect(await ask(route, access, jwt)).toBe(good);
  });

  it(`${refusesActing ? 'refuses' : 'takes'} an administrator who acts for the user`, async () => {
    const expected = refusesActing ? 'impersonation_forbidden' : good;
    expect(await ask(route, access, () => actingFor(roles))).toBe(expected);
  });

  it(`${guarded ? 'refuses' : 'does not look at'} the token of a disabled user`, async () => {
    expect(await ask(route, access, disabled.jwt)).toBe(guarded ? 'token_revoked' : good);
  });

  it(`${guarded ? 'refuses' : 'does not look at'} a stale token`, async () => {
    expect(await ask(route, access, stale.jwt)).toBe(guarded ? 'token_stale' : good);
  });

  it(`${permission ? 'refuses' : 'takes'} a user with all permissions but ${permission ?? 'none'}`, async () => {
    const lacking = permission === undefined ? [] : [`lacks-${nameOf(permission)}`];
    const { jwt } = await person(server, fresh(), lacking);
    expect(await ask(route, access, jwt)).toBe(permission === undefined ? good : 'forbidden');
  });
});

it('lets an administrator who acts for a user change nothing below /me', () => {
  const changing = Object.entries(TABLE).filter(([route]) => /^(?!GET)\w+ \/me\b/.test(route));
  expect(changing.filter(([, { ownAlone: alone }]) => !alone)).toEqual([]);
});

it('leaves a user signed in if an administrator tried to sign them out', async () => {
  const ada = await person(server, 'Ada', []);
  const { body } = await actor.ask('POST', `/users/${ada.id}/impersonate`);
  const acting = asking(server, body.jwt as string);
  const { body: own } = await ada.ask('GET', '/me/sessions');
  const [session] = own.sessions as { id: string }[];
  expect(await acting.ask('DELETE', `/me/sessions/${session?.id ?? ''}`)).toEqual({
    status: 403,
    body: { msg: 'You cannot do this on behalf of another user', code: 'impersonation_forbidden' },
  });
  expect(await ada.outcome('GET', '/me')).toBe(200);
  expect((await server.login('Ada', GOOD_PASSWORD)).jwt).toEqual(expect.any(String));
});

it("closes the tests' own guarded routes, for two requests at once", async () => {
  for (const path of ['/test-pairs', '/test-by-name', '/test-cats']) {
    for (const response of await Promise.all([1, 2].map(() => fetch(server.url + path)))) {
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
  }
});
