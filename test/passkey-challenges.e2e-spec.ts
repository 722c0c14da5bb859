import { randomBytes, randomUUID } from 'node:crypto';
import { clock } from '../src/common/clock.js';
import type { Ceremony } from '../src/passkeys/webauthn-challenge.entity.js';
import { PasskeyProofsService } from '../src/passkeys/passkey-proofs.service.js';
import {
  LIFETIME,
  WebauthnChallengesService,
} from '../src/passkeys/webauthn-challenges.service.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { challengeOf } from './support/factors.js';
import { codeOf } from './support/http.js';
import { newUser, optionsOf, originOf, post, userWithPasskey } from './support/passkeys.js';
import { SECRET, type Server, startServer } from './support/server.js';
import { Authenticator } from './support/webauthn-authenticator.js';

const OPTIONS = '/login/passkey/options';
const DAY = 86_400_000;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const challenges = () => server.app.get(WebauthnChallengesService, { strict: false });
const login = (response: object, at: Server = server) =>
  codeOf(post(at, '/login/passkey', { response }));
const stored = () =>
  server.withDatabase((db) => db.query<object[]>('SELECT * FROM webauthn_challenges'));

/** A challenge that was made some milliseconds ago. */
function madeBefore(passed: number, ceremony: Ceremony = 'sign_in', userId: string | null = null) {
  const now = clock.now();
  const spy = jest.spyOn(clock, 'now').mockReturnValue(now - passed);
  try {
    return challenges().make(ceremony, userId);
  } finally {
    spy.mockRestore();
  }
}

it('writes nothing when options are asked for', async () => {
  const { jwt, username } = await userWithPasskey(server);
  const challenge = await challengeOf(server, username);
  await optionsOf(server, '/me/passkeys/options', {}, jwt);
  const contents = () =>
    server.withDatabase(async (db) => {
      const tables = db.entityMetadatas.map(({ tableName }) => tableName);
      const counts = await Promise.all(
        tables.map((table) => db.query<object[]>(`SELECT count(*) AS count FROM ${table}`)),
      );
      return tables.map((table, index) => [table, counts[index]]);
    });
  const before = await contents();
  for (let count = 0; count < 5; count++) {
    await optionsOf(server, OPTIONS);
    await optionsOf(server, OPTIONS, { challenge });
    await optionsOf(server, '/me/passkeys/options', {}, jwt);
  }
  expect(await contents()).toEqual(before);
});

it('makes another challenge each time, with at least 16 random bytes', async () => {
  const made = await Promise.all(Array.from({ length: 50 }, () => optionsOf(server, OPTIONS)));
  const starts = made.map(({ challenge }) =>
    Buffer.from(challenge, 'base64url').subarray(0, 16).toString('hex'),
  );
  expect(new Set(starts).size).toBe(50);
});

it('takes a challenge for five minutes', async () => {
  const { authenticator } = await userWithPasskey(server);
  const rpId = 'localhost';
  const answer = (passed: number) => authenticator.get({ challenge: madeBefore(passed), rpId });
  expect(await login(answer(LIFETIME))).toBe('passkey_challenge_invalid');
  expect(await login(answer(LIFETIME + 60_000))).toBe('passkey_challenge_invalid');
  expect(await login(answer(LIFETIME - 60_000))).toBe(200);
});

it('keeps a used challenge for a day after its end, and then removes it', async () => {
  const { authenticator } = await userWithPasskey(server);
  const answer = authenticator.get(await optionsOf(server, OPTIONS));
  expect(await login(answer)).toBe(200);
  const later = async (passed: number) => {
    const now = clock.now();
    const spy = jest.spyOn(clock, 'now').mockReturnValue(now + passed);
    const cleaned = challenges().clean();
    // The server sets its clock once a second, and must not do so by this one.
    spy.mockRestore();
    await cleaned;
    return (await stored()).length;
  };
  expect(await later(DAY)).toBeGreaterThan(0);
  expect(await login(answer)).toBe('passkey_challenge_invalid');
  expect(await later(LIFETIME + DAY + 1)).toBe(0);
});

it('takes no altered challenge', async () => {
  const { authenticator } = await userWithPasskey(server);
  const options = await optionsOf(server, OPTIONS);
  const bytes = Buffer.from(options.challenge, 'base64url');
  const flipped = (at: number, bit: number) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ bit;
    return changed.toString('base64url');
  };
  const altered = [
    // A random byte, the first and the last of the time, and the first and the last of the MAC.
    ...[0, 16, 21, 22, bytes.length - 1].map((at) => flipped(at, 1)),
    flipped(16, 128),
    bytes.subarray(0, 22).toString('base64url'),
    bytes.subarray(0, -1).toString('base64url'),
    Buffer.concat([bytes, bytes]).toString('base64url'),
    `${options.challenge}=`,
    `${options.challenge}A`,
    ` ${options.challenge}`,
    '',
    randomBytes(bytes.length).toString('base64url'),
    Buffer.alloc(bytes.length).toString('base64url'),
  ];
  for (const challenge of altered) {
    const changed = authenticator.get({ ...options, challenge });
    expect([challenge, await login(changed)]).toEqual([challenge, 'passkey_challenge_invalid']);
  }
  expect(await login(authenticator.get(options))).toBe(200);
});

it('takes a challenge for its ceremony and its user alone', async () => {
  const { id, username, authenticator } = await userWithPasskey(server);
  const other = await userWithPasskey(server);
  const rpId = 'localhost';
  const made: [Ceremony, string | null][] = [
    ['registration', id],
    ['registration', null],
    ['sign_in', other.id],
    ['sign_in', randomUUID()],
    ['sign_in', ''],
  ];
  for (const [ceremony, user] of made) {
    const challenge = challenges().make(ceremony, user);
    const outcome = await login(authenticator.get({ challenge, rpId }));
    expect([ceremony, user, outcome]).toEqual([ceremony, user, 'passkey_challenge_invalid']);
  }
  // Options for the second factor of one user are good for this user alone.
  const waiting = { challenge: await challengeOf(server, username) };
  const options = await optionsOf(server, OPTIONS, waiting);
  expect(await login(other.authenticator.get(options))).toBe('passkey_challenge_invalid');
  const passkey = authenticator.get(options);
  expect(await codeOf(post(server, '/login/second-factor', { ...waiting, passkey }))).toBe(200);
});

describe('a user that changes after the server looked at the passkey', () => {
  afterEach(() => jest.restoreAllMocks());

  /** Signs in while `change` is made between the look at the passkey and the use of its challenge. */
  async function signInDuring(change: (id: string) => Promise<unknown>) {
    const { id, authenticator } = await userWithPasskey(server);
    const proofs = server.app.get(PasskeyProofsService, { strict: false });
    const verify = proofs.verify.bind(proofs);
    jest.spyOn(proofs, 'verify').mockImplementationOnce(async (...given) => {
      const signed = await verify(...given);
      await change(id);
      return signed;
    });
    const answer = authenticator.get(await optionsOf(server, OPTIONS));
    const during = await post(server, '/login/passkey', { response: answer });
    const after = await post(server, '/login/passkey', { response: answer });
    return { during, after };
  }
  const query = (sql: string) => (id: string) => server.withDatabase((db) => db.query(sql, [id]));

  it('is told that it was disabled', async () => {
    const changes = server.app.get(UserChangesService, { strict: false });
    const { during, after } = await signInDuring((id) => changes.disable(id));
    expect(during).toEqual(after);
    expect(during.body.code).toBe('user_disabled');
  });

  it('is unknown if it was deleted', async () => {
    const { during, after } = await signInDuring(query('DELETE FROM users WHERE id = $1'));
    expect(during).toEqual(after);
    expect(during.body.code).toBe('passkey_unknown');
  });

  it('is unknown if the passkey was removed', async () => {
    const { during, after } = await signInDuring(query('DELETE FROM passkeys WHERE user_id = $1'));
    expect(during).toEqual(after);
    expect(during.body.code).toBe('passkey_unknown');
  });

  it('signs in if it only changed its name', async () => {
    const renamed = query("UPDATE users SET display_name = 'Ada' WHERE id = $1");
    const { during, after } = await signInDuring(renamed);
    expect([during.status, after.body.code]).toEqual([200, 'passkey_challenge_invalid']);
  });
});

it('takes a challenge from before a rotation while the old secret is in the settings', async () => {
  const { authenticator } = await userWithPasskey(server);
  const { jwt } = await newUser(server);
  const before = await Promise.all([optionsOf(server, OPTIONS), optionsOf(server, OPTIONS)]);
  const creation = await optionsOf(server, '/me/passkeys/options', {}, jwt);
  const next = randomBytes(64).toString('base64url');
  const rotated = (settings: Record<string, string>) =>
    startServer({
      DATABASE_URL: server.database.url,
      PUBLIC_URL: server.config.publicUrl,
      JWT_SECRET_KEY: next,
      ...settings,
    });
  const both = await rotated({ JWT_PREVIOUS_SECRET_KEYS: SECRET });
  const alone = await rotated({});
  try {
    const [first, second] = before.map((options) => authenticator.get(options));
    expect(await login(first ?? {}, alone)).toBe('passkey_challenge_invalid');
    expect(await login(first ?? {}, both)).toBe(200);
    expect(await login(first ?? {})).toBe('passkey_challenge_invalid');
    expect(await login(second ?? {})).toBe(200);
    expect(await login(second ?? {}, both)).toBe('passkey_challenge_invalid');
    const response = new Authenticator(originOf(server)).create(creation);
    expect(await codeOf(post(both, '/me/passkeys', { response }, jwt))).toBe(201);
    const made = authenticator.get(await optionsOf(both, OPTIONS));
    expect(await login(made)).toBe('passkey_challenge_invalid');
    expect(await login(made, alone)).toBe(200);
  } finally {
    await both.stop();
    await alone.stop();
  }
});
