import { User } from '../src/users/user.entity.js';
import { asking, type Person, person } from './support/admins.js';
import { mailTo } from './support/mailbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
let admin: Person;
beforeAll(async () => {
  server = await startServer({ PUBLIC_URL: 'https://accounts.example.com' });
  admin = await person(server, 'Root', ['admin']);
});
afterAll(async () => {
  await server.stop();
});

const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const later = (ms: number) => new Date(Date.now() + ms).toISOString();
const noSuchUser = { msg: 'There is no such user', code: 'not_found' };

describe('GET /users/:id', () => {
  it('shows a user, and nothing secret', async () => {
    const { id } = await server.register('Shown', GOOD_PASSWORD, 'Shown@example.com');
    expect(await admin.ask('GET', `/users/${id}`)).toEqual({
      status: 200,
      body: {
        id,
        username: 'Shown',
        email: 'Shown@example.com',
        roles: [],
        createdAt: isTime,
        updatedAt: isTime,
        verified: false,
        disabled: null,
        factors: [],
        recovery_codes_left: 0,
      },
    });
  });

  it.each(['nobody', '%00', 'ffffffff-ffff-4fff-8fff-ffffffffffff', "'--", '%F0%9F%90%88'])(
    'finds nothing for %s, whatever the method',
    async (id) => {
      const nothing = { status: 404, body: noSuchUser };
      expect(await admin.ask('GET', `/users/${id}`)).toEqual(nothing);
      expect(await admin.ask('PATCH', `/users/${id}`, { roles: [] })).toEqual(nothing);
      expect(await admin.ask('DELETE', `/users/${id}`)).toEqual(nothing);
      expect(await admin.ask('DELETE', `/users/${id}/factors/all`)).toEqual(nothing);
      for (const action of ['sessions/revoke', 'password-reset', 'impersonate']) {
        expect(await admin.ask('POST', `/users/${id}/${action}`)).toEqual(nothing);
      }
    },
  );

  it('is for those who have the permission', async () => {
    const ada = await person(server, 'Ordinary');
    for (const [method, path] of [
      ['GET', '/users'],
      ['GET', `/users/${ada.id}`],
      ['POST', '/users'],
      ['PATCH', `/users/${ada.id}`],
      ['DELETE', `/users/${ada.id}`],
      ['POST', `/users/${ada.id}/sessions/revoke`],
      ['POST', `/users/${ada.id}/password-reset`],
      ['POST', `/users/${ada.id}/impersonate`],
      ['DELETE', `/users/${ada.id}/factors/all`],
      ['GET', '/roles'],
      ['PUT', '/roles/x'],
      ['DELETE', '/roles/x'],
    ] as const) {
      expect([path, await ada.outcome(method, path)]).toEqual([path, 'forbidden']);
    }
  });
});

describe('POST /users', () => {
  it('makes a user whose password nobody knows, and mails a link to set one', async () => {
    const body = { username: 'Invited', email: 'invited@example.com', roles: ['admin', 'admin'] };
    const made = await admin.ask('POST', '/users', body);
    expect(made).toEqual({
      status: 201,
      body: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        username: 'Invited',
        email: 'invited@example.com',
        roles: ['admin'],
        createdAt: isTime,
        updatedAt: isTime,
        verified: false,
        disabled: null,
      },
    });
    const { link, code } = await mailTo(server, 'invited@example.com');
    expect(link).toMatch(
      /^https:\/\/accounts\.example\.com\/account\/reset-password\?token=[\w-]{43}$/,
    );
    expect(code).toMatch(/^\d{8}$/);
    await expect(server.login('invited', '')).rejects.toThrow('missing_parameter');
    const found = await admin.ask('GET', '/users?role=admin&q=invited');
    expect((found.body.users as { id: string }[]).map(({ id }) => id)).toEqual([made.body.id]);
  });

  it('takes the name and the language of the mail along', async () => {
    const email = 'eingeladen@example.com';
    const profile = { displayName: 'Frau Müller', locale: 'de' };
    const made = await admin.ask('POST', '/users', { username: 'Eingeladen', email, ...profile });
    expect(made.status).toBe(201);
    const { id } = made.body as { id: string };
    const stored = await server.withDatabase((db) =>
      db.getRepository(User).findOneByOrFail({ id }),
    );
    expect(stored).toMatchObject(profile);
  });

  it('sets nothing that is not named, whatever is sent', async () => {
    const extra = {
      id: admin.id,
      password: GOOD_PASSWORD,
      passwordHash: 'x',
      password_hash: 'x',
      tokenVersion: 99,
      emailVerifiedAt: later(0),
      createdAt: '2000-01-01T00:00:00Z',
      disabledAt: later(0),
      disabled: { reason: 'x' },
    };
    const made = await admin.ask('POST', '/users', { username: 'Massive', ...extra });
    expect(made.body).toMatchObject({ roles: [], verified: false, disabled: null, email: null });
    expect(made.body.id).not.toBe(admin.id);
    const { id } = made.body as { id: string };
    const stored = () =>
      server.withDatabase((db) => db.getRepository(User).findOneByOrFail({ id }));
    const before = await stored();
    expect(before).toMatchObject({ tokenVersion: 0, disabledAt: null, emailVerifiedAt: null });
    // Nobody's: not even a hash.
    expect(before.passwordHash).toMatch(/^!/);
    const patched = await admin.ask('PATCH', `/users/${id}`, {
      ...extra,
      disabled: undefined,
      username: 'Other',
      email: 'other@example.com',
      roles: [],
    });
    expect(patched.status).toBe(200);
    expect(await stored()).toEqual({ ...before, updatedAt: expect.any(Date) as Date });
  });

  it.each([
    [{ username: 'invited' }, 409, 'username_taken'],
    [{ username: 'fresh', email: 'INVITED@example.com' }, 409, 'email_taken'],
    [{}, 400, 'missing_parameter'],
    [{ username: 'a b' }, 400, 'invalid_parameter'],
    [{ username: 'fresh', roles: ['nothing-of-the-kind'] }, 400, 'invalid_parameter'],
    [{ username: 'fresh', roles: ['a\0b'] }, 400, 'invalid_parameter'],
    [{ username: 'fresh', roles: 'admin' }, 400, 'invalid_parameter'],
    [{ username: 'fresh', verified: 'yes' }, 400, 'invalid_parameter'],
    [{ username: 'fresh', verified: true }, 409, 'email_missing'],
  ])('refuses %j', async (body, status, code) => {
    expect(await admin.ask('POST', '/users', body)).toMatchObject({ status, body: { code } });
    expect((await admin.ask('GET', '/users?q=fresh')).body.users).toEqual([]);
  });
});

describe('PATCH /users/:id', () => {
  let wrong = 0;

  it('disables at once, with a reason and until a time, after which it is over by itself', async () => {
    const ada = await person(server, 'Banned');
    const until = later(86_400_000);
    const ban = { disabled: { reason: 'Chargeback \u{1F408}', until } };
    expect(await ada.outcome('GET', '/me')).toBe(200);
    const { body } = await admin.ask('PATCH', `/users/${ada.id}`, ban);
    expect(body.disabled).toEqual({ since: isTime, until, reason: 'Chargeback \u{1F408}' });
    expect(await ada.outcome('GET', '/me')).toBe('token_revoked');
    await expect(server.login('banned')).rejects.toThrow('user_disabled');
    const refresh = () => server.http.post('/refresh').send({ refresh_token: ada.refresh_token });
    expect((await refresh()).body).toMatchObject({ code: 'session_ended' });

    const again = await admin.ask('PATCH', `/users/${ada.id}`, { disabled: {} });
    expect(again.body.disabled).toEqual({
      since: (body.disabled as { since: string }).since,
      until: null,
      reason: null,
    });
    await admin.ask('PATCH', `/users/${ada.id}`, ban);
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id: ada.id }, { disabledUntil: new Date() }),
    );
    const fresh = await server.login('banned');
    expect(await asking(server, fresh.jwt).outcome('GET', '/me')).toBe(200);
    expect(await ada.outcome('GET', '/me')).toBe('token_revoked');
    expect((await admin.ask('GET', `/users/${ada.id}`)).body.disabled).toBeNull();
    expect(await admin.outcome('PATCH', `/users/${ada.id}`, { disabled: null })).toBe(200);
  });

  it('lets a disabled user in again', async () => {
    const { id } = await server.register('Forgiven');
    await admin.ask('PATCH', `/users/${id}`, { disabled: { reason: 'x' } });
    await expect(server.login('forgiven')).rejects.toThrow('user_disabled');
    const { body } = await admin.ask('PATCH', `/users/${id}`, { disabled: null });
    expect(body.disabled).toBeNull();
    await expect(server.login('forgiven')).resolves.toBeDefined();
  });

  it('makes the tokens of other roles stale here and elsewhere, and those of the same not', async () => {
    const ada = await person(server, 'Promoted');
    await admin.ask('PATCH', `/users/${ada.id}`, { roles: ['admin'] });
    expect(await ada.outcome('GET', '/me')).toBe('token_stale');
    const response = await server.http.post('/refresh').send({ refresh_token: ada.refresh_token });
    const fresh = asking(server, (response.body as { jwt: string }).jwt);
    expect(await fresh.outcome('GET', '/users')).toBe(200);
    await admin.ask('PATCH', `/users/${ada.id}`, { roles: ['admin'] });
    expect(await fresh.outcome('GET', '/users')).toBe(200);
    await admin.ask('PATCH', `/users/${ada.id}`, { roles: [] });
    expect(await fresh.outcome('GET', '/users')).toBe('token_stale');
  });

  it('marks an address as verified, and back', async () => {
    const { id } = await server.register('Checked', GOOD_PASSWORD, 'checked@example.com');
    const path = `/users/${id}`;
    expect((await admin.ask('PATCH', path, { verified: true })).body.verified).toBe(true);
    expect((await admin.ask('PATCH', path, { verified: false })).body.verified).toBe(false);
    const { id: bare } = await server.register('NoAddress');
    expect(await admin.outcome('PATCH', `/users/${bare}`, { verified: true })).toBe(
      'email_missing',
    );
  });

  it.each([
    [{}, 'Nothing to change: give roles, disabled or verified'],
    [{ disable: true }, 'Nothing to change: give roles, disabled or verified'],
    [
      { disabled: true },
      'The value of disabled has to be an object with reason and until, or null',
    ],
    [
      { disabled: { until: 'tomorrow' } },
      'The until has to be a time such as 2030-12-31T12:00:00Z',
    ],
    [{ disabled: { until: '2000-01-01T00:00:00Z' } }, 'The until has to be in the future'],
    [{ disabled: { reason: 'a\0' } }, 'The reason holds characters that cannot be stored'],
    [{ disabled: { reason: '\uD800' } }, 'The reason holds characters that cannot be stored'],
    [{ disabled: { reason: 'x'.repeat(256) } }, 'The reason has more than 255 characters'],
    [{ roles: ['unheard-of'] }, 'There is no role unheard-of'],
    [{ roles: null }, 'The roles have to be a list'],
    [{ verified: null }, 'The verified has to be true or false'],
  ])('refuses %j', async (body, msg) => {
    const { id } = await server.register(`wrong${wrong++}`);
    const answer = await admin.ask('PATCH', `/users/${id}`, body);
    expect([answer.status, answer.body.msg]).toEqual([400, msg]);
  });
});

describe('DELETE /users/:id', () => {
  it('removes a user, whose tokens are refused at once and whose name is free', async () => {
    const ada = await person(server, 'Removed', ['admin']);
    expect(await ada.outcome('GET', '/me')).toBe(200);
    expect(await admin.ask('DELETE', `/users/${ada.id}`)).toEqual({ status: 204, body: {} });
    expect(await ada.outcome('GET', '/me')).toBe('token_revoked');
    expect(await admin.ask('GET', `/users/${ada.id}`)).toEqual({ status: 404, body: noSuchUser });
    expect(await admin.outcome('DELETE', `/users/${ada.id}`)).toBe('not_found');
    await expect(server.register('removed')).resolves.toBeDefined();
  });
});

describe('POST /users/:id/sessions/revoke', () => {
  it('ends every session and token of that user alone', async () => {
    const ada = await person(server, 'Everywhere');
    const other = await server.login('everywhere');
    const path = `/users/${ada.id}/sessions/revoke`;
    expect(await admin.ask('POST', path)).toEqual({ status: 200, body: { ended: 2 } });
    expect(await ada.outcome('GET', '/me')).toBe('token_revoked');
    expect(await asking(server, other.jwt).outcome('GET', '/me')).toBe('token_revoked');
    expect(await admin.ask('POST', path)).toEqual({ status: 200, body: { ended: 0 } });
    const { jwt } = await server.login('everywhere');
    expect(await asking(server, jwt).outcome('GET', '/me')).toBe(200);
  });
});

describe('POST /users/:id/password-reset', () => {
  it('mails a link, or says that there is no address', async () => {
    const { id } = await server.register('Forgetful', GOOD_PASSWORD, 'forgetful@example.com');
    expect(await admin.ask('POST', `/users/${id}/password-reset`)).toEqual({
      status: 202,
      body: {},
    });
    const { token } = await mailTo(server, 'forgetful@example.com');
    expect(token).toMatch(/^[\w-]{43}$/);
    const { id: bare } = await server.register('Nowhere');
    expect(await admin.ask('POST', `/users/${bare}/password-reset`)).toEqual({
      status: 409,
      body: { msg: 'The user has no e-mail address', code: 'email_missing' },
    });
  });
});
