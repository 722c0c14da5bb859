import { SessionsService } from '../src/sessions/sessions.service.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { asking, type Person, person } from './support/admins.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { claimsOf, forge } from './support/tokens.js';

let server: Server;
let keeper: Person;
let ada: Person;
beforeAll(async () => {
  server = await startServer({ JWT_EXPIRES: '1h' });
  // One who stays when others go.
  keeper = await person(server, 'Keeper', ['admin']);
  ada = await person(server, 'Ada', [], 'ada@example.com');
});
afterAll(() => server.stop());

const sessions = () => server.app.get(SessionsService, { strict: false });
const changes = () => server.app.get(UserChangesService, { strict: false });

/** An access token of `as` that `actor` was given. */
async function impersonate(actor: Pick<Person, 'ask'>, as: { id: string }): Promise<string> {
  const { status, body } = await actor.ask('POST', `/users/${as.id}/impersonate`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.jwt as string;
}

describe('POST /users/:id/impersonate', () => {
  it('gives a token of the user that names who acts, for 15 minutes and no longer', async () => {
    const { status, body } = await keeper.ask('POST', `/users/${ada.id}/impersonate`);
    expect([status, body]).toEqual([
      200,
      { jwt: expect.any(String) as string, token_type: 'Bearer', expires_in: 900 },
    ]);
    const token = body.jwt as string;
    expect(claimsOf(token)).toMatchObject({
      sub: ada.id,
      username: 'Ada',
      roles: [],
      act: { sub: keeper.id },
      sid: claimsOf(keeper.jwt).sid as string,
    });
    expect((claimsOf(token).exp ?? 0) - now()).toBeLessThanOrEqual(900);
    const me = await asking(server, token).ask('GET', '/me');
    expect(me.body).toMatchObject({ id: ada.id, username: 'Ada' });
    expect(claimsOf(ada.jwt)).not.toHaveProperty('act');
    expect(claimsOf(ada.jwt)).not.toHaveProperty('act_ver');
    expect(claimsOf(ada.jwt)).not.toHaveProperty('act_roles');
  });

  it('is never for an administrator, oneself, a disabled user or nobody', async () => {
    const other = await person(server, 'OtherAdmin', ['admin']);
    const { id: banned } = await server.register('Banned');
    await changes().disable(banned);
    const path = (id: string) => `/users/${id}/impersonate`;
    expect(await keeper.ask('POST', path(other.id))).toEqual({
      status: 403,
      body: { msg: 'An administrator cannot be impersonated', code: 'forbidden' },
    });
    // By whatever role.
    await keeper.ask('PUT', '/roles/super', { permissions: ['*'] });
    const lord = await person(server, 'Super', ['super']);
    for (const actor of [keeper, lord]) {
      for (const { id } of [lord, keeper].filter((one) => one.id !== actor.id)) {
        expect((await actor.ask('POST', path(id))).body).toEqual({
          msg: 'An administrator cannot be impersonated',
          code: 'forbidden',
        });
      }
    }
    expect(await keeper.outcome('POST', path(keeper.id))).toBe('forbidden');
    expect(await keeper.outcome('POST', path(banned))).toBe('user_disabled');
    expect(await keeper.outcome('POST', path('nobody'))).toBe('not_found');
  });

  it('cannot be nested, nor change the password or sign the user out', async () => {
    await keeper.ask('PUT', '/roles/helper', { permissions: ['users:impersonate'] });
    const helper = await person(server, 'Helper', ['helper']);
    const acting = asking(server, await impersonate(keeper, helper));
    const passwords = { current_password: GOOD_PASSWORD, new_password: 'another good phrase' };
    for (const [method, path, body] of [
      ['POST', `/users/${ada.id}/impersonate`, undefined],
      ['PUT', '/me/password', passwords],
      ['POST', '/logout', undefined],
      ['POST', '/logout?scope=global', undefined],
    ] as const) {
      expect(await acting.ask(method, path, body)).toEqual({
        status: 403,
        body: {
          msg: 'You cannot do this on behalf of another user',
          code: 'impersonation_forbidden',
        },
      });
    }
    expect(await helper.outcome('GET', '/me')).toBe(200);
    expect(await helper.outcome('PUT', '/me/password', passwords)).toBe(204);
  });

  it('shows `act` to other services only where it was given', async () => {
    const token = await impersonate(keeper, ada);
    for (const claims of [{ act: undefined }, { act_ver: undefined }, { act: { sub: 1 } }]) {
      const response = await server.get('/me', `Bearer ${forge(token, claims)}`);
      expect((response.body as { code: string }).code).toBe('token_claims_invalid');
    }
  });
});

describe('an impersonation ends', () => {
  let count = 0;
  let actor: Person;
  let token: string;
  beforeEach(async () => {
    actor = await person(server, `Actor${count++}`, ['admin']);
    token = await impersonate(actor, ada);
    expect(await outcome()).toBe(200);
  });
  const outcome = () => asking(server, token).outcome('GET', '/me');

  it('with the session of who acts', async () => {
    await actor.ask('POST', '/logout');
    expect(await outcome()).toBe('token_revoked');
  });

  it.each([
    ['is disabled', () => changes().disable(actor.id)],
    ['is no administrator any more', () => changes().setRoles(actor.id, [])],
    ['is removed', () => changes().delete({ id: actor.id })],
    ['has all sessions ended', () => sessions().endAll(actor.id, () => undefined)],
  ])('when who acts %s', async (_what, end) => {
    await end();
    expect(await outcome()).toBe('token_revoked');
    expect(await ada.outcome('GET', '/me')).toBe(200);
  });

  it('when a role gets other permissions, so that the user may do more than who acts', async () => {
    const put = (name: string, permissions: string[]) =>
      keeper.outcome('PUT', `/roles/${name}`, { permissions });
    await put('helper', ['users:impersonate', 'users:read', 'users:write']);
    await put('clerk', ['users:read']);
    const helper = await person(server, 'RoleHelper', ['helper']);
    const clerk = await person(server, 'RoleClerk', ['clerk']);
    const acting = asking(server, await impersonate(helper, clerk));
    const climb = () => acting.outcome('PATCH', `/users/${helper.id}`, { roles: ['admin'] });
    expect([await climb(), await acting.outcome('GET', '/users')]).toEqual(['forbidden', 200]);
    // The user gets more.
    expect(await put('clerk', ['*'])).toBe(200);
    expect([await climb(), await acting.outcome('GET', '/users')]).toEqual([
      'token_revoked',
      'token_revoked',
    ]);
    // The one who acts gets less.
    expect(await put('clerk', ['users:read'])).toBe(200);
    const again = asking(server, await impersonate(helper, clerk));
    expect(await again.outcome('GET', '/users')).toBe(200);
    expect(await put('helper', ['users:impersonate'])).toBe(200);
    expect(await again.outcome('GET', '/users')).toBe('token_revoked');
    expect(await clerk.outcome('GET', '/users')).toBe(200);
  });

  it('when a session ends that was not used since long before', async () => {
    const sid = claimsOf(token).sid as string;
    await server.withDatabase((db) =>
      db.query('UPDATE sessions SET last_used_at = 1 WHERE id = $1', [sid]),
    );
    token = await impersonate(actor, ada);
    await actor.ask('DELETE', `/me/sessions/${sid}`);
    expect(await outcome()).toBe('token_revoked');
  });

  it('with the sessions of the user, or the user', async () => {
    const other = await person(server, `Other${count}`);
    const acting = asking(server, await impersonate(actor, other));
    await actor.ask('POST', `/users/${other.id}/sessions/revoke`);
    expect(await acting.outcome('GET', '/me')).toBe('token_revoked');
    const again = asking(server, await impersonate(actor, other));
    await actor.ask('DELETE', `/users/${other.id}`);
    expect(await again.outcome('GET', '/me')).toBe('token_revoked');
  });
});
