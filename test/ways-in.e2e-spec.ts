import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { AccessTokenClaims } from '../src/keys/access-token.js';
import { Session } from '../src/sessions/session.entity.js';
import { User } from '../src/users/user.entity.js';
import { asking, person, type Person } from './support/admins.js';
import type { Answered } from './support/http.js';
import { addApp } from './support/authenticator.js';
import { addTestFactor, challengeOf } from './support/factors.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { addPasskey, originOf, signIn as signInByPasskey } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { TestFactorModule } from './support/test-factor.module.js';
import { Authenticator } from './support/webauthn-authenticator.js';

type Expectation = 'none' | 'factor' | 'role';

/** The users of the matrix, each with the answers to expect. A new kind of factor needs one line. */
const USERS: Record<string, [Expectation, enrol?: (jwt: string) => Promise<unknown>]> = {
  'no factor': ['none'],
  'an authenticator app': ['factor', (jwt) => addApp(server.url, jwt)],
  'a passkey': ['factor', (jwt) => addPasskey(server, jwt, newAuthenticator())],
  'a factor of a project': ['factor', (jwt) => addTestFactor(server, jwt)],
  'a role that needs a factor': ['role'],
};

/**
 * Tries a way in with everything that a thief has without the second factor: the name, the password, the mailbox, and
 * tokens of a session from before the factor.
 */
type Attempt = (thief: Person) => Promise<Answered>;

const emailOf = ({ name }: { name: string }) => `${name}@example.org`;
const newAuthenticator = () => new Authenticator(originOf(server));
const mails = mailSignIns(() => server);

const post =
  (path: string, bodyOf: (thief: Person) => object | Promise<object>): Attempt =>
  async (thief) => {
    const response = await server.http.post(path).send(await bodyOf(thief));
    return { status: response.status, body: response.body as Answered['body'] };
  };

/** A way in, and its answers to each kind of user. */
interface Way extends Record<Expectation, string> {
  attempt: Attempt;
}

/**
 * Each route that can answer with tokens. An answer is the level of the token, `enrol` for one that can only enrol a
 * factor, or the code of the refusal. A new route fails the test until it stands here.
 */
const WAYS: Record<string, Way> = {
  'POST /login': {
    attempt: post('/login', ({ name }) => ({ username: name, password: GOOD_PASSWORD })),
    none: 'aal1',
    factor: 'second_factor_required',
    role: 'enrol',
  },
  'POST /login/passkey': {
    // With a passkey of the thief's own, which no account knows.
    attempt: () => signInByPasskey(server, newAuthenticator(), { userHandle: 'A'.repeat(43) }),
    none: 'passkey_unknown',
    factor: 'passkey_unknown',
    role: 'passkey_unknown',
  },
  'POST /login/second-factor': {
    attempt: post('/login/second-factor', async ({ name }) => ({
      challenge: await challengeOf(server, name).catch(() => 'none'),
      code: '000000',
    })),
    none: 'challenge_invalid',
    factor: 'code_invalid',
    role: 'challenge_invalid',
  },
  'POST /login/mail/verify': {
    attempt: post('/login/mail/verify', async (thief) => (await mails.asked(emailOf(thief))).proof),
    none: 'aal1',
    factor: 'second_factor_required',
    role: 'enrol',
  },
  'POST /refresh': {
    attempt: post('/refresh', ({ refresh_token }) => ({ refresh_token })),
    none: 'aal1',
    factor: 'session_ended',
    role: 'enrol',
  },
  'POST /me/step-up': {
    attempt: (thief) => thief.ask('POST', '/me/step-up', { current_password: GOOD_PASSWORD }),
    none: 'aal1',
    factor: 'token_revoked',
    role: 'enrol',
  },
};

let server: Server;
beforeAll(async () => {
  const settings = { MFA_REQUIRED: 'keeper', SIGN_IN_BY_MAIL: 'on' };
  server = await startServer(settings, (builder) => builder, [TestFactorModule]);
});
afterAll(() => server.stop());

/** Makes a user with a session of before. */
async function userWith(what: string): Promise<Person> {
  const [expectation, enrolOne] = USERS[what] ?? [];
  const roles = expectation === 'role' ? ['keeper'] : [];
  const name = `user-${randomUUID().slice(0, 8)}`;
  const user = await person(server, name, roles, emailOf({ name }));
  await server.withDatabase((db) =>
    db.getRepository(User).update({ id: user.id }, { emailVerifiedAt: new Date() }),
  );
  // The owner enrols on another device, so the thief's session is one of before.
  await enrolOne?.((await server.login(user.name)).jwt);
  return user;
}

/** The sessions of a user, ended ones as well. */
const sessionsOf = async (userId: string) => {
  const order = { createdAt: 'ASC' } as const;
  const rows = await server.withDatabase((db) =>
    db.getRepository(Session).find({ where: { userId }, order }),
  );
  return rows.map(({ id, aal, endedAt }) => ({ id, aal, endedAt }));
};

/** Says what a way in gave: the level of the token, or the code of the refusal. */
function given({ status, body }: Answered): string {
  if (status >= 300) return String(body.code);
  const claims = jwt.decode(String(body.jwt)) as AccessTokenClaims;
  if (claims.enrolment_required) return claims.roles.length === 0 ? 'enrol' : 'roles too early';
  return String(claims.acr).replace('urn:latchkey:', '');
}

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
}

it('has every route that can answer with tokens', async () => {
  const { paths } = (await server.get('/openapi.json')).body as OpenApi;
  const found = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { responses }]) => /schemas\/Tokens"/.test(JSON.stringify(responses)))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  expect(found.sort()).toEqual(Object.keys(WAYS).sort());
});

describe.each(Object.entries(WAYS))('%s', (_route, { attempt, ...answers }) => {
  it.each(
    Object.entries(USERS).map(([what, [expectation]]) => [what, answers[expectation], expectation]),
  )('gives a user with %s: %s', async (what, expected, expectation) => {
    const user = await userWith(what);
    const before = await sessionsOf(user.id);
    expect(given(await attempt(user))).toBe(expected);
    if (expectation !== 'factor') return;
    // No session past the factor: none is new, and those of before stay ended.
    expect(await sessionsOf(user.id)).toEqual(before);
    expect(await asking(server, user.jwt).outcome('GET', '/me')).toBe('token_revoked');
  });
});

it('opens nothing by a challenge but the second factor', async () => {
  const { name } = await userWith('an authenticator app');
  const challenge = await challengeOf(server, name);
  expect(await asking(server, challenge).outcome('GET', '/me')).toBe('token_malformed');
  for (const [path, body] of Object.entries({
    '/refresh': { refresh_token: challenge },
    '/password/reset': { token: challenge, password: 'another good pass phrase' },
    '/email/verify': { token: challenge },
  })) {
    const { status } = await server.http.post(path).send(body);
    expect([path, status >= 400 && status < 500]).toEqual([path, true]);
  }
});
