import { Authenticator, type Changes } from './support/webauthn-authenticator.js';
import { challengeOf } from './support/factors.js';
import { times } from './support/limits.js';
import {
  addPasskey,
  newUser,
  optionsOf,
  originOf,
  post,
  signIn,
  userWithPasskey,
} from './support/passkeys.js';
import { asking } from './support/admins.js';
import { unusableHash } from '../src/passwords/stored-hash.js';
import { User } from '../src/users/user.entity.js';
import { freshInstances } from './support/instances.js';
import { kill } from './support/server-process.js';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, SECRET, type Server, startServer } from './support/server.js';

let server: Server;
let origin: string;
beforeAll(async () => {
  server = await startServer();
  origin = originOf(server);
});
afterAll(() => server.stop());

const withPasskey = () => userWithPasskey(server);
const login = (response: object) => codeOf(post(server, '/login/passkey', { response }));
/** How often each outcome came. */
const tally = (outcomes: (string | number)[]) =>
  Object.fromEntries(
    [...new Set(outcomes)].map((one) => [one, outcomes.filter((other) => other === one).length]),
  );
const sessionsOf = (id: string) =>
  server.withDatabase(async (db) => {
    const [row] = await db.query<{ count: number | string }[]>(
      `SELECT count(*) AS count FROM sessions WHERE user_id = '${id}'`,
    );
    return Number(row?.count);
  });

it('takes one of 16 answers to one challenge at once', async () => {
  const { id, authenticator } = await withPasskey();
  const before = await sessionsOf(id);
  const options = await optionsOf(server, '/login/passkey/options');
  const answers = Array.from({ length: 16 }, () => authenticator.get(options));
  expect(tally(await Promise.all(answers.map(login)))).toEqual({
    200: 1,
    passkey_challenge_invalid: 15,
  });
  expect(await sessionsOf(id)).toBe(before + 1);
});

it('takes the same answer once, of 16 at once and afterwards', async () => {
  const { authenticator } = await withPasskey();
  const answer = authenticator.get(await optionsOf(server, '/login/passkey/options'));
  const outcomes = await Promise.all(Array.from({ length: 16 }, () => login(answer)));
  expect(tally(outcomes)).toEqual({ 200: 1, passkey_challenge_invalid: 15 });
  expect(await login(answer)).toBe('passkey_challenge_invalid');
});

it('takes the same answer once, of 15 at once on three routes', async () => {
  const { id, username, jwt, authenticator } = await withPasskey();
  const challenges = await times(5, () => challengeOf(server, username));
  const answer = authenticator.get(await optionsOf(server, '/login/passkey/options'));
  const before = await sessionsOf(id);
  const outcomes = await Promise.all(
    challenges.flatMap((challenge) => [
      login(answer),
      codeOf(post(server, '/login/second-factor', { challenge, passkey: answer })),
      codeOf(post(server, '/me/step-up', { passkey: answer }, jwt)),
    ]),
  );
  expect(tally(outcomes)).toEqual({ 200: 1, passkey_challenge_invalid: 14 });
  expect((await sessionsOf(id)) - before).toBeLessThanOrEqual(1);
});

it('leaves an account without a password its last passkey, of 16 removals at once', async () => {
  const { id, jwt, passkey, ask } = await withPasskey();
  const second = (await addPasskey(server, jwt, new Authenticator(origin))).body;
  await server.withDatabase((db) =>
    db.getRepository(User).update({ id }, { passwordHash: unusableHash() }),
  );
  const ids = [passkey.id, String(second.id)];
  const outcomes = await times(16, (index) =>
    codeOf(ask('DELETE', `/me/${index < 8 ? 'factors' : 'passkeys'}/${ids[index % 2] ?? ''}`)),
  );
  expect(new Set(outcomes)).toEqual(new Set([expect.any(Number), 'not_found', 'last_credential']));
  expect((await ask('GET', '/me/passkeys')).body.passkeys).toHaveLength(1);
});

it('takes one of 16 registrations with one challenge at once', async () => {
  const { jwt } = await newUser(server);
  const options = await optionsOf(server, '/me/passkeys/options', {}, jwt);
  const outcomes = await Promise.all(
    Array.from({ length: 16 }, () => {
      const response = new Authenticator(origin).create(options);
      return codeOf(post(server, '/me/passkeys', { response }, jwt));
    }),
  );
  expect(tally(outcomes)).toEqual({ 201: 1, passkey_challenge_invalid: 15 });
});

it('takes no challenge of another ceremony or of another user', async () => {
  const { jwt, authenticator } = await withPasskey();
  const { jwt: other } = await newUser(server);
  const creation = await optionsOf(server, '/me/passkeys/options', {}, jwt);
  const request = await optionsOf(server, '/login/passkey/options');
  const rpId = 'localhost';
  expect(await login(authenticator.get({ ...creation, rpId }))).toBe('passkey_challenge_invalid');
  const made = new Authenticator(origin).create({ ...request, rp: { id: rpId } });
  const register = (response: object, token: string) =>
    codeOf(post(server, '/me/passkeys', { response }, token));
  expect(await register(made, jwt)).toBe('passkey_challenge_invalid');
  const stolen = new Authenticator(origin).create(creation);
  expect(await register(stolen, other)).toBe('passkey_challenge_invalid');
  // The failed tries have not used the challenge up.
  expect(await register(stolen, jwt)).toBe(201);
  expect(await register(new Authenticator(origin).create(creation), jwt)).toBe(
    'passkey_challenge_invalid',
  );
});

it.each<[string, Changes, string]>([
  ['without user verification', { flags: 1 }, 'passkey_invalid'],
  ['from another origin', { origin: 'http://localhost.evil.example' }, 'passkey_invalid'],
  ['for another relying party', { rpId: 'example.com' }, 'passkey_invalid'],
  ['from a frame', { clientData: { crossOrigin: true } }, 'passkey_invalid'],
  ['without a user', { userHandle: null }, 'passkey_invalid'],
  ['of another user', { userHandle: 'A'.repeat(43) }, 'passkey_invalid'],
  [
    'to a made-up challenge',
    { clientData: { challenge: 'A'.repeat(43) } },
    'passkey_challenge_invalid',
  ],
  ['to a challenge with a NUL', { clientData: { challenge: 'a\0b' } }, 'passkey_challenge_invalid'],
])('refuses an answer %s', async (_what, changes, code) => {
  const { authenticator, jwt, username } = await withPasskey();
  expect(await codeOf(signIn(server, authenticator, changes))).toBe(code);
  const raised = async () => {
    const passkey = authenticator.get(await optionsOf(server, '/login/passkey/options'), changes);
    return codeOf(post(server, '/me/step-up', { passkey }, jwt));
  };
  // Here the user is known already.
  expect(await raised()).toBe(changes.userHandle === null ? 200 : code);
  const first = await post(server, '/login', { username, password: GOOD_PASSWORD });
  const waiting = { challenge: first.body.challenge };
  const options = await optionsOf(server, '/login/passkey/options', waiting);
  const passkey = authenticator.get(options, changes);
  expect(await codeOf(post(server, '/login/second-factor', { ...waiting, passkey }))).toBe(
    changes.userHandle === null ? 200 : code,
  );
});

it.each<[string, unknown, string]>([
  ['nothing', undefined, 'missing_parameter'],
  ['a text', 'x', 'invalid_parameter'],
  ['a list', [], 'invalid_parameter'],
  ['no parts', {}, 'invalid_parameter'],
  ['ids that differ', { id: 'AAAA', rawId: 'AAAB' }, 'passkey_unknown'],
  ['an id with a NUL', { id: 'a\0b', rawId: 'a\0b' }, 'invalid_parameter'],
  ['an emoji', { id: '🔑', rawId: '🔑' }, 'invalid_parameter'],
  ['a long id', { id: 'A'.repeat(1368), rawId: 'A'.repeat(1368) }, 'invalid_parameter'],
])('refuses %s for an answer', async (_what, given, code) => {
  const { authenticator } = await withPasskey();
  const answer = authenticator.get(await optionsOf(server, '/login/passkey/options'));
  const isEmpty = typeof given !== 'object' || given === null || Object.keys(given).length === 0;
  const response = isEmpty ? given : { ...answer, ...given };
  expect(await codeOf(post(server, '/login/passkey', { response }))).toBe(code);
});

it('refuses a body of 10 MB', async () => {
  const body = { response: { id: 'A'.repeat(10_000_000) } };
  expect(await codeOf(post(server, '/login/passkey', body))).toBe('body_too_large');
});

describe('the counter', () => {
  const countOf = (id: string) =>
    server.withDatabase(async (db) => {
      const [row] = await db.query<{ sign_count: number | string }[]>(
        `SELECT sign_count FROM passkeys WHERE user_id = '${id}'`,
      );
      return Number(row?.sign_count);
    });

  it('has to rise if both are above zero, and never falls', async () => {
    const { id, authenticator } = await withPasskey();
    const steps: [count: number, outcome: number | string, stored: number][] = [
      [0, 200, 0],
      [0, 200, 0],
      [7, 200, 7],
      [7, 'passkey_copied', 7],
      [6, 'passkey_copied', 7],
      [0, 200, 7],
      [8, 200, 8],
      [4_294_967_295, 200, 4_294_967_295],
      [1, 'passkey_copied', 4_294_967_295],
    ];
    for (const [count, outcome, stored] of steps) {
      expect(await codeOf(signIn(server, authenticator, { count }))).toBe(outcome);
      expect(await countOf(id)).toBe(stored);
    }
  });

  it('lets one of 16 answers with the same count in at once, to a challenge each', async () => {
    const { authenticator, username, jwt } = await withPasskey();
    await signIn(server, authenticator, { count: 1 });
    const asked = Array.from({ length: 16 }, () => optionsOf(server, '/login/passkey/options'));
    const options = await Promise.all(asked);
    const answers = options.map((one) => authenticator.get(one, { count: 2 }));
    expect(tally(await Promise.all(answers.map(login)))).toEqual({ 200: 1, passkey_copied: 15 });
    // As a second factor it is refused and recorded as well.
    const first = await post(server, '/login', { username, password: GOOD_PASSWORD });
    const waiting = { challenge: first.body.challenge };
    const request = await optionsOf(server, '/login/passkey/options', waiting);
    const passkey = authenticator.get(request, { count: 2 });
    expect(await codeOf(post(server, '/login/second-factor', { ...waiting, passkey }))).toBe(
      'passkey_copied',
    );
    const rows = await server.withDatabase((db) =>
      db.query<object[]>("SELECT id FROM audit_events WHERE action = 'passkey_copied'"),
    );
    expect(rows.length).toBeGreaterThanOrEqual(16);
    expect((await asking(server, jwt).ask('GET', '/me/passkeys')).status).toBe(200);
  });
});

it('limits the making of challenges', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on' });
  try {
    const asked = async () => codeOf(post(limited, '/login/passkey/options', {}));
    const outcomes: (string | number)[] = [];
    for (let count = 0; count < 61; count++) outcomes.push(await asked());
    expect(tally(outcomes)).toEqual({ 200: 60, too_many_requests: 1 });
  } finally {
    await limited.stop();
  }
});

it('keeps challenges over a restart and over instances, and takes each once', async () => {
  const instances = await freshInstances();
  try {
    const env = {
      DATABASE_URL: instances.database.url,
      JWT_SECRET_KEY: SECRET,
      BCRYPT_COST: '4',
      PUBLIC_URL: 'http://localhost:3000',
    };
    const first = instances.start(env);
    const ask = async (url: string, path: string, body: object, jwt = '') => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${jwt}` };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      const answer = await fetch(url + path, sent);
      return { status: answer.status, body: (await answer.json()) as Record<string, never> };
    };
    const one = await first.listening;
    const user = { username: 'Ada', password: GOOD_PASSWORD };
    await ask(one, '/register', user);
    const { jwt } = (await ask(one, '/login', user)).body;
    const authenticator = new Authenticator('http://localhost:3000');
    const creation = await ask(one, '/me/passkeys/options', {}, jwt);
    const response = authenticator.create(creation.body as never);
    expect(await codeOf(ask(one, '/me/passkeys', { response }, jwt))).toBe(201);
    const options = await ask(one, '/login/passkey/options', {});
    const answer = { response: authenticator.get(options.body as never) };
    await kill(first.child);
    const [two, three] = [instances.start(env), instances.start(env)];
    const urls = [await two.listening, await three.listening];
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, (_none, index) =>
        codeOf(ask(urls[index % 2] ?? '', '/login/passkey', answer)),
      ),
    );
    expect(tally(outcomes)).toEqual({ 200: 1, passkey_challenge_invalid: 15 });
  } finally {
    await instances.end();
  }
}, 120_000);
