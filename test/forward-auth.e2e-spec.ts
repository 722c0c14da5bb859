import { once } from 'node:events';
import { request } from 'node:http';
import { Controller, Module, Post } from '@nestjs/common';
import { AccessTokenService } from '../src/auth/access-token.service.js';
import { StepUp } from '../src/auth/step-up.guard.js';
import { ApiError } from '../src/common/api-error.js';
import { person } from './support/admins.js';
import { mailAbout } from './support/mailbox.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

let server: Server;
beforeAll(async () => {
  server = await startServer({ JWT_INVALID_TOKEN_STATUS: '422' });
});
afterAll(() => server.stop());

/** The status of `/forward-auth`, and what it says of the user. */
async function ask(authorization?: string) {
  const asked = request(`${server.url}/forward-auth`, {
    headers: authorization === undefined ? {} : { authorization },
  }).end();
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  await once(response, 'end');
  const remote = Object.entries(response.headers).filter(([name]) => name.startsWith('remote-'));
  return { status: response.statusCode, remote: Object.fromEntries(remote) };
}

describe('GET /forward-auth', () => {
  it('tells a proxy who is signed in, and with which roles', async () => {
    const ada = await person(server, 'Ada', ['admin', 'keeper']);
    expect(await ask(`Bearer ${ada.jwt}`)).toEqual({
      status: 200,
      remote: {
        'remote-user': 'Ada',
        'remote-user-id': ada.id,
        'remote-groups': 'admin,keeper',
      },
    });
    const bob = await person(server, 'bob');
    expect((await ask(`Bearer ${bob.jwt}`)).remote).toMatchObject({ 'remote-groups': '' });
  });

  it('answers 401 without a good token, whatever JWT_INVALID_TOKEN_STATUS says', async () => {
    const eve = await person(server, 'eve');
    for (const value of [
      undefined,
      'Basic YTpi',
      'Bearer x',
      `Bearer ${forge(eve.jwt, { exp: now() - 1 })}`,
      `Bearer ${forge(eve.jwt, { iss: 'x' })}`,
    ]) {
      expect([value, await ask(value)]).toEqual([value, { status: 401, remote: {} }]);
    }
    await eve.ask('POST', '/logout');
    expect(await ask(`Bearer ${eve.jwt}`)).toEqual({ status: 401, remote: {} });
  });

  it.each([
    ['Zoë', 'Zo%C3%AB'],
    ['Zo%C3%AB', 'Zo%25C3%25AB'],
    ['王小明', '%E7%8E%8B%E5%B0%8F%E6%98%8E'],
    ['a,b', 'a%2Cb'],
    ['a\r\nRemote-Groups: admin', 'a%0D%0ARemote-Groups:%20admin'],
    ['\ud800', '%EF%BF%BD'],
  ])('says the name %j so that no other has the same header', async (username, header) => {
    const { jwt } = await person(server, `user${Math.abs(header.length)}${header.charCodeAt(1)}`);
    const token = forge(jwt, { username, roles: [username] });
    expect((await ask(`Bearer ${token}`)).remote).toMatchObject({
      'remote-user': header,
      'remote-groups': header,
    });
  });
});

describe('AccessTokenService', () => {
  const tokens = () => server.app.get(AccessTokenService, { strict: false });
  const codeOf = async (work: () => unknown) => {
    try {
      await work();
      return undefined;
    } catch (error) {
      return error instanceof ApiError ? error.code : error;
    }
  };

  it('verifies a token as the guard does, and again when it was revoked', async () => {
    const fay = await person(server, 'fay');
    const authentication = await tokens().verify(fay.jwt);
    expect(authentication.subject).toEqual({ id: fay.id, username: 'fay', roles: [] });
    tokens().check(authentication);
    for (const bad of ['', 'x', undefined, null, 7, {}]) {
      expect([bad, await codeOf(() => tokens().verify(bad as string))]).toEqual([
        bad,
        'token_malformed',
      ]);
    }
    expect(await codeOf(() => tokens().verify(forge(fay.jwt, { aud: 'x' })))).toBe(
      'token_audience_invalid',
    );
    await fay.ask('POST', '/logout');
    expect(await codeOf(() => tokens().verify(fay.jwt))).toBe('token_revoked');
    expect(
      await codeOf(() => {
        tokens().check(authentication);
      }),
    ).toBe('token_revoked');
  });

  it('signs for a user, for no longer than other tokens, and until all sessions end', async () => {
    const gus = await person(server, 'gus');
    const token = await tokens().sign(gus.id, { expires: 86_400 });
    await server.get('/protected', `Bearer ${token}`).expect(200, { hello_from: 'gus' });
    const { claims } = await tokens().verify(token);
    expect([claims.exp - claims.iat, claims.auth_time]).toEqual([900, undefined]);
    await gus.ask('POST', '/logout?scope=others');
    await tokens().verify(token);
    const { jwt: own } = await server.login('gus');
    await server.http
      .post('/logout?scope=global')
      .set('authorization', `Bearer ${own}`)
      .expect(204);
    expect(await codeOf(() => tokens().verify(token))).toBe('token_revoked');
  });

  it('signs no token that outlives a reset, the sessions that an administrator ends, or a ban', async () => {
    const { id } = await server.register('hal', undefined, 'hal@example.org');
    const hal = { id, token: await tokens().sign(id) };
    await server.http.post('/password/forgot').send({ email: 'hal@example.org' }).expect(202);
    const { token: link } = await mailAbout(server, 'hal@example.org', 'Set a new password');
    await server.http
      .post('/password/reset')
      .send({ token: link, password: GOOD_PASSWORD })
      .expect(204);
    expect(await codeOf(() => tokens().verify(hal.token))).toBe('token_revoked');
    const gus = await person(server, 'ivy');
    const token = await tokens().sign(gus.id);
    const root = await person(server, 'root', ['admin']);
    await root.ask('POST', `/users/${gus.id}/sessions/revoke`);
    expect(await codeOf(() => tokens().verify(token))).toBe('token_revoked');
    await root.ask('PATCH', `/users/${gus.id}`, { disabled: { reason: 'x' } });
    expect(await codeOf(() => tokens().sign(gus.id))).toBe('user_disabled');
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await codeOf(() => tokens().sign(nobody))).toBe('not_found');
  });
});

@Controller('test-transfers')
class TestTransfersController {
  @Post()
  @StepUp()
  transfer() {
    return { done: true };
  }
}

@Module({ controllers: [TestTransfersController] })
class TestTransfersModule {}

it('@StepUp() asks for a sign-in of the last 15 minutes, in person', async () => {
  const other = await startServer({}, (builder) => builder, [TestTransfersModule]);
  try {
    const { jwt } = await person(other, 'ada');
    const transfer = async (token?: string) => {
      const asked = other.http.post('/test-transfers');
      if (token !== undefined) void asked.auth(token, { type: 'bearer' });
      const response = await asked;
      const { code } = response.body as { code?: string };
      return [response.status, code, response.headers['www-authenticate']];
    };
    expect(await transfer()).toEqual([401, 'missing_authorization', 'Bearer']);
    expect(await transfer(jwt)).toEqual([201, undefined, undefined]);
    const old = [
      401,
      'reauthentication_required',
      'Bearer error="insufficient_user_authentication", ' +
        'error_description="A more recent or stronger sign-in is required", max_age="900"',
    ];
    expect(await transfer(forge(jwt, { auth_time: now() - 901 }))).toEqual(old);
    expect(await transfer(forge(jwt, { auth_time: undefined }))).toEqual(old);
    const acted = forge(jwt, { act: { sub: 'x' }, act_ver: 0, act_roles: Date.now() });
    expect((await transfer(acted)).slice(0, 2)).toEqual([403, 'impersonation_forbidden']);
  } finally {
    await other.stop();
  }
});
