import { UserChangesService } from '../src/users/user-changes.service.js';
import { FLAGS } from './support/webauthn-authenticator.js';
import { newUser, optionsOf, originOf, post, signIn, userWithPasskey } from './support/passkeys.js';
import jwt from 'jsonwebtoken';
import { codeOf } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import {
  AuthenticatorEmulator,
  PasskeysCredentialsMemoryRepository,
  WebAuthnEmulator,
} from './support/webauthn-emulator.js';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const challenge = expect.stringMatching(/^[\w-]{72}$/) as string;

let server: Server;
let origin: string;
beforeAll(async () => {
  server = await startServer();
  origin = originOf(server);
});
afterAll(() => server.stop());

const withPasskey = (flags?: number) => userWithPasskey(server, flags);
const claimsOf = (body: object) => jwt.decode((body as { jwt: string }).jwt) as jwt.JwtPayload;

describe('a passkey', () => {
  it('signs in without a name, as two factors in one gesture', async () => {
    const synced = FLAGS.userPresent | FLAGS.userVerified | FLAGS.backupEligible;
    for (const [flags, key] of [
      [FLAGS.userPresent | FLAGS.userVerified, 'hwk'],
      [synced, 'swk'],
    ] as const) {
      const { username, authenticator, ask } = await withPasskey(flags);
      const { status, body } = await signIn(server, authenticator);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          jwt: expect.any(String) as string,
          token_type: 'Bearer',
          expires_in: server.config.jwt.expires,
          refresh_token: expect.any(String) as string,
        },
      });
      expect(claimsOf(body)).toMatchObject({ amr: [key, 'user'], acr: 'urn:latchkey:aal2' });
      const me = await server.get('/protected', `Bearer ${String(body.jwt)}`);
      expect(me.body).toEqual({ hello_from: username });
      const { passkeys } = (await ask('GET', '/me/passkeys')).body;
      expect(passkeys).toMatchObject([{ last_used_at: time, synced: false }]);
    }
  });

  it('tells whether it is synced by its last use', async () => {
    const flags = FLAGS.userPresent | FLAGS.userVerified | FLAGS.backupEligible;
    const { authenticator, ask } = await withPasskey(flags);
    await signIn(server, authenticator, { flags: flags | FLAGS.backedUp });
    expect((await ask('GET', '/me/passkeys')).body.passkeys).toMatchObject([{ synced: true }]);
  });

  it('has options for no user in particular', async () => {
    const { status, body } = await post(server, '/login/passkey/options', {});
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        challenge,
        rpId: 'localhost',
        timeout: 300_000,
        userVerification: 'required',
        allowCredentials: [],
      },
    });
    const named = await post(server, '/login/passkey/options', { username: 'Passkey1' });
    expect(named.body).toEqual({ ...body, challenge });
    const wrong = post(server, '/login/passkey/options', { challenge: 'x' });
    expect(await codeOf(wrong)).toBe('challenge_invalid');
  });

  it('completes a sign-in by password, which alone is not enough', async () => {
    const { username, authenticator } = await withPasskey();
    const login = await post(server, '/login', { username, password: GOOD_PASSWORD });
    expect(login).toEqual({
      status: 401,
      body: {
        msg: expect.any(String) as string,
        code: 'second_factor_required',
        challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
        methods: ['passkey', 'recovery_code'],
        expires_in: 600,
      },
    });
    const waiting = { challenge: login.body.challenge };
    const options = await optionsOf(server, '/login/passkey/options', waiting);
    expect(options).toMatchObject({
      allowCredentials: [{ type: 'public-key', id: authenticator.id.toString('base64url') }],
    });
    // A browser names the user only if it chose the passkey by itself.
    const passkey = authenticator.get(options, { userHandle: null });
    const done = await post(server, '/login/second-factor', { ...waiting, passkey });
    expect(done.status).toBe(200);
    const amr = ['pwd', 'hwk', 'user', 'mfa'];
    expect(claimsOf(done.body)).toMatchObject({ amr, acr: 'urn:latchkey:aal2' });
    const again = post(server, '/login/second-factor', { ...waiting, passkey });
    expect(await codeOf(again)).toBe('challenge_invalid');
  });

  it("of another user is no second factor, and another user's sign-in is not completed", async () => {
    const { username } = await withPasskey();
    const { authenticator: stranger } = await withPasskey();
    const login = await post(server, '/login', { username, password: GOOD_PASSWORD });
    const waiting = { challenge: login.body.challenge };
    const options = await optionsOf(server, '/login/passkey/options', waiting);
    const passkey = stranger.get(options);
    const answered = post(server, '/login/second-factor', { ...waiting, passkey });
    expect(await codeOf(answered)).toBe('passkey_invalid');
    // The challenge is for the first user alone.
    expect(await codeOf(post(server, '/login/passkey', { response: passkey }))).toBe(
      'passkey_challenge_invalid',
    );
  });

  it('raises the present session', async () => {
    const { authenticator } = await withPasskey();
    const { body: tokens } = await signIn(server, authenticator);
    const sid = claimsOf(tokens).sid as string;
    const options = await optionsOf(server, '/login/passkey/options');
    const body = { passkey: authenticator.get(options) };
    const raised = await post(server, '/me/step-up', body, String(tokens.jwt));
    expect(raised.status).toBe(200);
    expect(claimsOf(raised.body)).toMatchObject({ sid, acr: 'urn:latchkey:aal2' });
    expect(await codeOf(post(server, '/me/step-up', body, String(tokens.jwt)))).toBe(
      'passkey_challenge_invalid',
    );
    const malformed = post(server, '/me/step-up', { passkey: {} }, String(tokens.jwt));
    expect(await codeOf(malformed)).toBe('passkey_invalid');
  });

  it('works with an authenticator of another maker', async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const { jwt: token } = await newUser(server);
      const device = new WebAuthnEmulator(
        new AuthenticatorEmulator({
          algorithmIdentifiers: [algorithm],
          credentialsRepository: new PasskeysCredentialsMemoryRepository(),
        }),
      );
      const creation = await post(server, '/me/passkeys/options', {}, token);
      const made = device.createJSON(origin, creation.body as never);
      expect(await codeOf(post(server, '/me/passkeys', { response: made }, token))).toBe(201);
      const request = await post(server, '/login/passkey/options', {});
      const response = device.getJSON(origin, request.body as never);
      const { status, body } = await post(server, '/login/passkey', { response });
      expect([algorithm, status]).toEqual([algorithm, 200]);
      expect(claimsOf(body).amr).toEqual(['swk', 'user']);
    }
  });

  it('is renamed', async () => {
    const { passkey, ask, outcome } = await withPasskey();
    const path = `/me/passkeys/${passkey.id}`;
    const renamed = await ask('PATCH', path, { name: '🔑 für daheim' });
    expect(renamed.status).toBe(200);
    expect((await ask('GET', '/me/passkeys')).body.passkeys).toEqual([renamed.body]);
    expect(renamed.body.name).toBe('🔑 für daheim');
    const { outcome: stranger } = await newUser(server);
    expect(await stranger('PATCH', path, { name: 'mine' })).toBe('not_found');
    expect(await outcome('PATCH', '/me/passkeys/%00', { name: 'x' })).toBe('not_found');
  });

  it('is removed with an answer by which a page can tell the authenticator', async () => {
    const { username, passkey, authenticator, ask, outcome } = await withPasskey();
    const { outcome: stranger } = await newUser(server);
    expect(await stranger('DELETE', `/me/passkeys/${passkey.id}`)).toBe('not_found');
    const names = { credential_id: authenticator.id.toString('base64url'), rp_id: 'localhost' };
    const removed = await ask('DELETE', `/me/passkeys/${passkey.id}`);
    expect(removed).toEqual({ status: 200, body: names });
    expect(await outcome('DELETE', `/me/passkeys/${passkey.id}`)).toBe('not_found');
    expect(await signIn(server, authenticator)).toEqual({
      status: 400,
      body: { code: 'passkey_unknown', msg: expect.any(String) as string, ...names },
    });
    // Without a factor the password is enough again.
    await server.login(username);
  });

  it('is removed as a factor too', async () => {
    const { passkey, outcome } = await withPasskey();
    expect(await outcome('DELETE', `/me/factors/${passkey.id}`)).toBe(204);
    expect(await outcome('DELETE', `/me/passkeys/${passkey.id}`)).toBe('not_found');
  });

  it('of a disabled user signs nobody in', async () => {
    const { id, authenticator } = await withPasskey();
    await server.app.get(UserChangesService, { strict: false }).disable(id);
    expect(await codeOf(signIn(server, authenticator))).toBe('user_disabled');
  });
});
