import { addApp, appCode } from './support/authenticator.js';
import { type Person, person } from './support/admins.js';
import { challengeOf } from './support/factors.js';
import { ask } from './support/http.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { optionsOf, originOf, userWithPasskey } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { Authenticator } from './support/webauthn-authenticator.js';

type Json = Record<string, unknown>;
const nested = (levels: number): unknown => (levels === 0 ? {} : { a: nested(levels - 1) });

/** Values that a field does not expect. Texts come as JSON, so a lone surrogate is an escape. */
const HOSTILE: [what: string, value: unknown][] = [
  ['a NUL', '\0'],
  ['a NUL in a text', 'a\0b'],
  ['a lone surrogate', '\ud800'],
  ['an emoji', '👩‍🚀'],
  ['digits of another script', '١٢٣٤٥٦'],
  ['a long text', 'x'.repeat(60_000)],
  ['an empty text', ''],
  ['null', null],
  ['a number', 1e300],
  ['a boolean', true],
  ['a list', [['a']]],
  ['an object', { toString: 1, length: 1, then: 'a' }],
  ['a deep object', nested(25)],
];

/** The fields that take some of these values, or that the route does not read. */
const LENIENT = /(^|\.)(name|userHandle|transports(\.0)?|clientExtensionResults)$/;

let server: Server;
let user: Awaited<ReturnType<typeof userWithPasskey>>;
let app: { id: string; secret: string; recoveryCodes: string[] };
/** An app whose first code was not sent. */
let waiting: { id: string; secret: string };
let root: Person;
let mailed: { challenge: string; code: string; token: string };
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'off', SIGN_IN_BY_MAIL: 'on' });
  root = await person(server, 'root', ['admin']);
  user = await userWithPasskey(server, undefined, 'ada@example.org');
  app = await addApp(server.url, user.jwt);
  waiting = (await user.ask('POST', '/me/factors/totp', {})).body as typeof waiting;
  const mails = mailSignIns(() => server);
  mailed = await mails.asked((await mails.newUser()).email);
});
afterAll(() => server.stop());

const challenge = () => challengeOf(server, user.username);
const assertion = async (body?: object) =>
  user.authenticator.get(await optionsOf(server, '/login/passkey/options', body));
const attestation = async () =>
  new Authenticator(originOf(server)).create(
    await optionsOf(server, '/me/passkeys/options', {}, user.jwt),
  );

/** The routes of second factors, passkeys and sign-in by mail that take a body, with good bodies. */
const ROUTES: Record<string, (() => Json | Promise<Json>)[]> = {
  'POST /login/mail': [() => ({ email: 'ada@example.org' })],
  'POST /login/mail/verify': [
    () => ({ challenge: mailed.challenge, code: mailed.code }),
    () => ({ challenge: mailed.challenge, token: mailed.token }),
  ],
  'POST /login/second-factor': [
    async () => ({ challenge: await challenge(), code: appCode(app.secret) }),
    async () => ({ challenge: await challenge(), recovery_code: app.recoveryCodes[0] }),
    async () => {
      const waits = await challenge();
      return { challenge: waits, passkey: await assertion({ challenge: waits }) };
    },
  ],
  'POST /login/passkey/options': [async () => ({ challenge: await challenge() })],
  'POST /login/passkey': [async () => ({ response: await assertion() })],
  'POST /me/step-up': [
    () => ({ current_password: GOOD_PASSWORD }),
    () => ({ code: appCode(app.secret) }),
    () => ({ recovery_code: app.recoveryCodes[0] }),
    async () => ({ passkey: await assertion() }),
  ],
  'POST /me/factors/totp': [() => ({ name: 'Phone' })],
  'POST /me/factors/totp/{id}/confirm': [() => ({ code: appCode(waiting.secret) })],
  'PATCH /me/factors/{id}': [() => ({ name: 'Phone' })],
  'POST /me/passkeys': [async () => ({ response: await attestation(), name: 'Key' })],
  'PATCH /me/passkeys/{id}': [() => ({ name: 'Key' })],
};

/** Returns the paths of all values in a body, such as `response.id`. */
const fieldsOf = (node: unknown, at = ''): string[] =>
  typeof node === 'object' && node !== null
    ? Object.entries(node).flatMap(([key, value]) => {
        const path = at === '' ? key : `${at}.${key}`;
        return [path, ...fieldsOf(value, path)];
      })
    : [];

/** Returns a body with another value at a path. */
function changed(body: unknown, path: string, value: unknown): unknown {
  const [key = '', ...rest] = path.split('.');
  const copy = (Array.isArray(body) ? [...(body as unknown[])] : { ...(body as Json) }) as Json;
  copy[key] = rest.length === 0 ? value : changed(copy[key], rest.join('.'), value);
  return copy;
}

it('has every route of second factors, passkeys and sign-in by mail that takes a body', async () => {
  const { paths } = (await server.get('/openapi.json')).body as {
    paths: Record<string, Record<string, { requestBody?: object }>>;
  };
  const found = Object.entries(paths)
    .filter(([path]) => /^\/(login|me)\/(mail|passkey|second-factor|factors|step-up)/.test(path))
    .flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { requestBody }]) => requestBody)
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
  expect(Object.keys(ROUTES).sort()).toEqual(found.sort());
});

describe.each(Object.entries(ROUTES))('%s', (route, bodies) => {
  const [method = '', template = ''] = route.split(' ');
  const pathOf = () => {
    const own = template.includes('/confirm') ? waiting : app;
    return template.replace('{id}', template.includes('/passkeys') ? user.passkey.id : own.id);
  };

  it('answers every hostile value by a clear refusal', async () => {
    const wrong: unknown[] = [];
    for (const good of bodies) {
      for (const field of fieldsOf(await good())) {
        for (const [what, value] of HOSTILE) {
          const body = changed(await good(), field, value);
          const answer = await ask(server.url, method, pathOf(), body, user.jwt);
          const { msg, code } = answer.body;
          const refused = answer.status >= 400 && answer.status < 500;
          const clear = /^[A-Z].{9,}/.test(String(msg)) && /^[a-z_]+$/.test(String(code));
          const taken = answer.status < 300 && LENIENT.test(field);
          if (!taken && !(refused && clear)) wrong.push([field, what, answer]);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('refuses a body of 10 MB, a deep one and one that is no object', async () => {
    const send = async (body: string) => {
      const response = await fetch(server.url + pathOf(), {
        method,
        headers: { authorization: `Bearer ${user.jwt}`, 'content-type': 'application/json' },
        body,
      });
      return [response.status, ((await response.json()) as Json).code];
    };
    const large = await send(JSON.stringify({ name: 'x'.repeat(10_000_000) }));
    expect(large).toEqual([413, 'body_too_large']);
    expect(await send('{"a":'.repeat(10_000))).toEqual([400, 'json_too_deep']);
    expect(await send('[]')).toEqual([400, 'missing_json']);
    expect(await send('"a"')).toEqual([400, 'missing_json']);
    expect(await send('{')).toEqual([400, 'malformed_json']);
  });
});

it.each([
  ['%00', 404],
  ['%F0%9F%91%A9', 404],
  ["'--", 404],
  ['%ED%A0%80', 400],
  ['x'.repeat(200), 414],
])('finds no factor by the id %s', async (id, status) => {
  const at = (method: string, path: string, body?: object) => [method, path, body] as const;
  for (const [method, path, body] of [
    at('PATCH', `/me/factors/${id}`, { name: 'Phone' }),
    at('DELETE', `/me/factors/${id}`),
    at('POST', `/me/factors/totp/${id}/confirm`, { code: '123456' }),
    at('PATCH', `/me/passkeys/${id}`, { name: 'Phone' }),
    at('DELETE', `/me/passkeys/${id}`),
    at('DELETE', `/users/${user.id}/factors/${id}`),
    at('DELETE', `/users/${id}/factors/all`),
  ]) {
    const { ask: asRoot } = path.startsWith('/users') ? root : user;
    expect([path, (await asRoot(method, path, body)).status]).toEqual([path, status]);
  }
});
