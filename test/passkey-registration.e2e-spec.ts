import { UserChangesService } from '../src/users/user-changes.service.js';
import { Authenticator } from './support/webauthn-authenticator.js';
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
import { codeOf } from './support/http.js';
import { forge } from './support/tokens.js';
import { type Server, startServer } from './support/server.js';

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const challenge = expect.stringMatching(/^[\w-]{72}$/) as string;
const bytes32 = expect.stringMatching(/^[\w-]{43}$/) as string;
const codes = expect.arrayContaining([
  expect.stringMatching(/^[\dA-Z]{4}(-[\dA-Z]{4}){3}$/),
]) as string[];

let server: Server;
let origin: string;
beforeAll(async () => {
  server = await startServer();
  origin = originOf(server);
});
afterAll(() => server.stop());

const withPasskey = (flags?: number) => userWithPasskey(server, flags);

describe('registering a passkey', () => {
  it('asks for a discoverable one with user verification and without attestation', async () => {
    const { username, ask } = await newUser(server);
    const { status, body } = await ask('POST', '/me/passkeys/options');
    expect(status).toBe(200);
    expect(body).toEqual({
      challenge,
      rp: { id: 'localhost', name: 'Latchkey' },
      user: { id: bytes32, name: username, displayName: username },
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
      timeout: 300_000,
      attestation: 'none',
      excludeCredentials: [],
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      extensions: { credProps: true },
    });
    const again = await ask('POST', '/me/passkeys/options');
    expect(again.body.user).toEqual(body.user);
    expect(again.body.challenge).not.toBe(body.challenge);
  });

  it('takes no name from a User-Agent that is no good name', async () => {
    const { jwt: token } = await newUser(server);
    for (const device of ['A'.repeat(300), 'Odd\u00ad\u009f']) {
      const options = await optionsOf(server, '/me/passkeys/options', {}, token);
      const answer = await server.http
        .post('/me/passkeys')
        .set({ authorization: `Bearer ${token}`, 'user-agent': `${device}/1.0 x` })
        .send({ response: new Authenticator(origin).create(options) });
      const { name } = answer.body as { name: string };
      expect([answer.status, name]).toEqual([201, 'Unknown device']);
    }
  });

  it('answers its id and name, and the recovery codes with the first factor', async () => {
    const { jwt: token, ask } = await newUser(server);
    const first = new Authenticator(origin);
    const options = await optionsOf(server, '/me/passkeys/options', {}, token);
    const body = { response: first.create(options), name: ' My  phone 📱 ' };
    const registered = await post(server, '/me/passkeys', body, token);
    const name = 'My  phone 📱';
    expect(registered).toEqual({ status: 201, body: { id: uuid, name, recovery_codes: codes } });
    const second = await addPasskey(server, token, new Authenticator(origin, 1 | 4 | 8 | 16));
    expect(second).toEqual({ status: 201, body: { id: uuid, name: 'Unknown device' } });
    const listed = (await ask('GET', '/me/passkeys')).body;
    const common = { created_at: time, last_used_at: null, rp_id: 'localhost' };
    const shown = { id: registered.body.id, name, synced: false, ...common };
    const other = { id: second.body.id, name: 'Unknown device', synced: true, ...common };
    expect(listed).toEqual({
      passkeys: [
        { ...shown, credential_id: first.id.toString('base64url') },
        { ...other, credential_id: bytes32 },
      ],
      rp_id: 'localhost',
      user_handle: bytes32,
    });
    expect((await ask('GET', '/me/factors')).body).toMatchObject({
      factors: [{ kind: 'passkey', name }, { kind: 'passkey' }],
      recovery_codes_left: 10,
    });
    const again = await ask('POST', '/me/passkeys/options');
    expect(again.body.excludeCredentials).toEqual([
      { type: 'public-key', id: first.id.toString('base64url'), transports: ['internal'] },
      { type: 'public-key', id: bytes32, transports: ['internal'] },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a NUL', 'a\0b', 'invalid_parameter'],
    ['a line break', 'a\nb', 'invalid_parameter'],
    ['65 characters', '📱'.repeat(65), 'invalid_parameter'],
    ['blanks alone', '   ', 'invalid_parameter'],
    ['no text', 7, 'invalid_parameter'],
  ])('refuses a name with %s', async (_what, name, code) => {
    const { authenticator, passkey, outcome } = await withPasskey();
    expect(await outcome('PATCH', `/me/passkeys/${passkey.id}`, { name })).toBe(code);
    const options = await optionsOf(server, '/login/passkey/options');
    const body = { response: authenticator.create(options), name };
    expect(await outcome('POST', '/me/passkeys', body)).toBe(code);
  });

  it('gives another user no passkey of the same credential id', async () => {
    const { authenticator, jwt: own } = await withPasskey();
    const { jwt: other } = await newUser(server);
    for (const token of [own, other]) {
      expect(await codeOf(addPasskey(server, token, authenticator))).toBe('passkey_taken');
    }
  });

  it('refuses the eleventh, before and after the browser asks the user', async () => {
    const { jwt: token, outcome } = await newUser(server);
    const early = await optionsOf(server, '/me/passkeys/options', {}, token);
    for (let count = 0; count < 10; count++) {
      expect(await codeOf(addPasskey(server, token, new Authenticator(origin)))).toBe(201);
    }
    expect(await outcome('POST', '/me/passkeys/options')).toBe('too_many_factors');
    const late = { response: new Authenticator(origin).create(early) };
    expect(await outcome('POST', '/me/passkeys', late)).toBe('too_many_factors');
  });

  it('needs a recent sign-in, for every change', async () => {
    const { passkey, id, jwt: token } = await withPasskey();
    const old = asking(server, forge(token, { auth_time: Math.floor(Date.now() / 1000) - 901 }));
    const path = `/me/passkeys/${passkey.id}`;
    expect(id).toEqual(uuid);
    const changes = [
      old.outcome('POST', '/me/passkeys/options'),
      old.outcome('POST', '/me/passkeys', {}),
      old.outcome('PATCH', path, { name: 'mine' }),
      old.outcome('DELETE', path),
    ];
    expect(new Set(await Promise.all(changes))).toEqual(new Set(['reauthentication_required']));
  });
});

it('is the factor that a role requires', async () => {
  const strict = await startServer({ MFA_REQUIRED: 'admin' });
  try {
    const { id, username } = await newUser(strict);
    await strict.app.get(UserChangesService, { strict: false }).setRoles(id, ['admin']);
    const { jwt: limited } = await strict.login(username);
    expect(await codeOf(strict.get('/protected', `Bearer ${limited}`))).toBe('enrolment_required');
    const authenticator = new Authenticator(originOf(strict));
    expect(await codeOf(addPasskey(strict, limited, authenticator))).toBe(201);
    const { body } = await signIn(strict, authenticator);
    expect(await codeOf(strict.get('/protected', `Bearer ${String(body.jwt)}`))).toBe(200);
  } finally {
    await strict.stop();
  }
});
