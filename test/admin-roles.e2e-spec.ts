import { asking, type Person, person } from './support/admins.js';
import { type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server: Server;
let twin: Server;
let admin: Person;
let support: Person;
let manager: Person;
beforeAll(async () => {
  server = await startServer();
  twin = await startServer({ DATABASE_URL: server.database.url });
  admin = await person(server, 'Root', ['admin']);
  const put = (name: string, permissions: string[]) =>
    admin.ask('PUT', `/roles/${name}`, { permissions });
  await put('support', ['users:write', 'users:read', 'users:impersonate', 'sessions:revoke']);
  await put('manager', ['roles:read', 'roles:write', 'users:read']);
  await put('reader', ['users:read']);
  await put('keeper', []);
  await put('auditor', ['audit:read']);
  support = await person(server, 'Supporter', ['support']);
  manager = await person(server, 'Manager', ['manager']);
});
afterAll(async () => {
  await twin.stop();
  await server.stop();
});

const forbidden = 'forbidden';

describe('roles', () => {
  it('are listed with the built-in one first', async () => {
    const { status, body } = await manager.ask('GET', '/roles');
    expect(status).toBe(200);
    expect((body.roles as unknown[]).slice(0, 3)).toEqual([
      { name: 'admin', permissions: ['*'], builtIn: true },
      { name: 'auditor', permissions: ['audit:read'], builtIn: false },
      { name: 'keeper', permissions: [], builtIn: false },
    ]);
  });

  it('hold for living tokens, here at once and elsewhere soon', async () => {
    const path = '/roles/changing';
    const permissions = ['users:read', 'cats:feed', 'cats:feed'];
    expect(await admin.ask('PUT', path, { permissions })).toEqual({
      status: 200,
      body: { name: 'changing', permissions: ['cats:feed', 'users:read'], builtIn: false },
    });
    const ada = await person(server, 'Changing', ['changing']);
    const there = () => twin.get('/users', `Bearer ${ada.jwt}`).then(({ status }) => status);
    expect(await ada.outcome('GET', '/users')).toBe(200);
    await until(async () => (await there()) === 200, 'the role elsewhere');
    await admin.ask('PUT', path, { permissions: [] });
    expect(await ada.outcome('GET', '/users')).toBe(forbidden);
    await until(async () => (await there()) === 403, 'the change elsewhere');
  });

  it('can be removed when nobody has them, and the built-in one never', async () => {
    await admin.ask('PUT', '/roles/leaving', { permissions: [] });
    const { id } = await person(server, 'Leaving', ['leaving']);
    expect(await admin.ask('DELETE', '/roles/leaving')).toEqual({
      status: 409,
      body: { msg: 'A user still has this role', code: 'role_in_use' },
    });
    await admin.ask('PATCH', `/users/${id}`, { roles: [] });
    expect(await admin.outcome('DELETE', '/roles/leaving')).toBe(204);
    expect(await admin.outcome('DELETE', '/roles/leaving')).toBe('not_found');
    expect(await admin.outcome('DELETE', '/roles/admin')).toBe('role_built_in');
    expect(await admin.outcome('PUT', '/roles/admin', { permissions: [] })).toBe('role_built_in');
  });

  it('are not granted and removed at once', async () => {
    for (let round = 0; round < 5; round++) {
      await admin.ask('PUT', '/roles/racing', { permissions: [] });
      const { id } = await server.register(`racer${round}`);
      const [granted, removed] = await Promise.all([
        admin.outcome('PATCH', `/users/${id}`, { roles: ['racing'] }),
        admin.outcome('DELETE', '/roles/racing'),
      ]);
      expect([
        [200, 'role_in_use'],
        ['invalid_parameter', 204],
      ]).toContainEqual([granted, removed]);
      await admin.ask('PATCH', `/users/${id}`, { roles: [] });
    }
  });

  it.each([
    ['a%00b', { permissions: [] }],
    ['1x', { permissions: [] }],
    ['x'.repeat(65), { permissions: [] }],
    [':x', { permissions: [] }],
    ['x', {}],
    ['x', { permissions: 'users:read' }],
    ['x', { permissions: ['a b'] }],
    ['x', { permissions: ['a\0'] }],
    ['x', { permissions: ['**'] }],
    ['x', { permissions: Array.from({ length: 101 }, (_, i) => `p${i}`) }],
  ])('refuses to make %s of %j', async (name, body) => {
    const answer = await admin.ask('PUT', `/roles/${name}`, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_parameter']);
  });
});

describe('who has few permissions', () => {
  it('gets no more by giving roles, to themselves or a friend', async () => {
    const friend = await server.register('Friend');
    for (const id of [support.id, friend.id]) {
      for (const roles of [['support', 'admin'], ['auditor'], ['manager'], ['keeper']]) {
        expect(await support.outcome('PATCH', `/users/${id}`, { roles })).toBe(forbidden);
        expect(await support.outcome('POST', '/users', { username: 'x', roles })).toBe(forbidden);
      }
    }
    expect(await support.outcome('PATCH', `/users/${friend.id}`, { roles: ['reader'] })).toBe(200);
    expect(await support.outcome('PATCH', `/users/${friend.id}`, { roles: [] })).toBe(200);
    expect(await support.outcome('PUT', '/roles/support', { permissions: ['*'] })).toBe(forbidden);
    expect(await support.outcome('GET', '/me')).toBe(200);
  });

  it('gets no more by changing roles', async () => {
    for (const permissions of [['*'], ['users:write'], ['roles:write', 'audit:read']]) {
      expect(await manager.outcome('PUT', '/roles/manager', { permissions })).toBe(forbidden);
      expect(await manager.outcome('PUT', '/roles/new', { permissions })).toBe(forbidden);
    }
    // Nor takes away from others what they do not have themselves.
    expect(await manager.outcome('PUT', '/roles/auditor', { permissions: [] })).toBe(forbidden);
    expect(await manager.outcome('DELETE', '/roles/auditor')).toBe(forbidden);
    expect(await manager.outcome('PUT', '/roles/small', { permissions: ['users:read'] })).toBe(200);
    expect(await manager.outcome('DELETE', '/roles/small')).toBe(204);
  });

  it('does nothing to who has more', async () => {
    const others = [
      admin,
      manager,
      await person(server, 'Keeper', ['keeper']),
      await person(server, 'Auditor', ['reader', 'auditor'], 'auditor@example.com'),
    ];
    for (const { id, outcome } of others) {
      const path = `/users/${id}`;
      for (const body of [{ roles: [] }, { disabled: {} }, { verified: false }]) {
        expect(await support.outcome('PATCH', path, body)).toBe(forbidden);
      }
      expect(await support.outcome('DELETE', path)).toBe(forbidden);
      for (const action of ['sessions/revoke', 'password-reset', 'impersonate']) {
        expect(await support.outcome('POST', `${path}/${action}`)).toBe(forbidden);
      }
      expect(await outcome('GET', '/me')).toBe(200);
    }
  });

  it('does what they are allowed to, to who has less or the same', async () => {
    const colleague = await person(server, 'Colleague', ['support', 'reader']);
    const path = `/users/${colleague.id}`;
    expect(await support.outcome('PATCH', path, { roles: ['reader'] })).toBe(200);
    expect(await support.outcome('POST', `${path}/impersonate`)).toBe(200);
    expect(await support.outcome('POST', `${path}/sessions/revoke`)).toBe(200);
    expect(await support.outcome('DELETE', path)).toBe(204);
  });
});

describe('a role that a route asks for by name', () => {
  let climber: Person;
  beforeAll(async () => {
    await admin.ask('PUT', '/roles/climber', {
      permissions: ['roles:write', 'users:write', 'users:read'],
    });
    await admin.ask('PUT', '/roles/keeper', { permissions: [] });
    climber = await person(server, 'Climber', ['climber']);
  });
  const held = { permissions: ['users:read'] };
  const empty = { permissions: [] };
  const permissionsOf = async (name: string) => {
    const { roles } = (await admin.ask('GET', '/roles')).body as {
      roles: { name: string; permissions: string[] }[];
    };
    return roles.find((role) => role.name === name)?.permissions;
  };

  it('is not had by filling it, giving it to oneself and emptying it again', async () => {
    expect(await climber.ask('PUT', '/roles/keeper', held)).toEqual({
      status: 403,
      body: {
        msg: 'Only a user with all permissions may change a role with all permissions or none',
        code: 'forbidden',
      },
    });
    expect(
      await climber.outcome('PATCH', `/users/${climber.id}`, { roles: ['climber', 'keeper'] }),
    ).toBe(forbidden);
    expect(await climber.outcome('PUT', '/roles/filled', held)).toBe(200);
    expect(await climber.outcome('PUT', '/roles/filled', empty)).toBe(forbidden);
    expect(await climber.outcome('PUT', '/roles/fresh', empty)).toBe(forbidden);
    expect(await climber.outcome('POST', '/test-cats/feed')).toBe(forbidden);
    expect(await permissionsOf('filled')).toEqual(['users:read']);
    expect(await permissionsOf('fresh')).toBeUndefined();
  });

  it('is not gained by removing it, or by making it if it is not stored', async () => {
    expect(await climber.outcome('DELETE', '/roles/keeper')).toBe(forbidden);
    const keeper = await person(server, 'OldKeeper', ['keeper']);
    await admin.ask('DELETE', `/users/${keeper.id}`);
    for (const user of (await admin.ask('GET', '/users?role=keeper')).body.users as {
      id: string;
    }[]) {
      await admin.ask('PATCH', `/users/${user.id}`, { roles: [] });
    }
    expect(await admin.outcome('DELETE', '/roles/keeper')).toBe(204);
    expect(await climber.outcome('PUT', '/roles/keeper', held)).toBe(forbidden);
    // Nor one that users have without its being stored, from an import.
    await person(server, 'Ghost', ['ghost']);
    expect(await climber.outcome('PUT', '/roles/ghost', held)).toBe(forbidden);
    expect(await admin.outcome('PUT', '/roles/keeper', held)).toBe(200);
    expect(await admin.outcome('PUT', '/roles/keeper', empty)).toBe(200);
  });

  it('stays as an administrator makes it while another user makes it too', async () => {
    for (let round = 0; round < 8; round++) {
      const path = `/roles/vip${round}`;
      const [made] = await Promise.all([
        admin.outcome('PUT', path, empty),
        asking(twin, climber.jwt).outcome('PUT', path, held),
      ]);
      expect(made).toBe(200);
      expect(await permissionsOf(`vip${round}`)).toEqual([]);
    }
  });

  it('is given by what is stored, not by what an instance remembers', async () => {
    expect(await admin.outcome('PUT', '/roles/emptied', held)).toBe(200);
    await server.withDatabase((db) =>
      db.query("UPDATE roles SET permissions = '[]' WHERE name = 'emptied'"),
    );
    const roles = ['climber', 'emptied'];
    expect(await climber.outcome('PATCH', `/users/${climber.id}`, { roles })).toBe(forbidden);
    expect(await climber.outcome('POST', '/users', { username: 'Friend2', roles })).toBe(forbidden);
    expect(await climber.outcome('PUT', '/roles/emptied', held)).toBe(forbidden);
  });

  it('is not changed by a user who has lost the right to, even if the token still says so', async () => {
    const former = await person(server, 'Former', ['climber']);
    const reader = await server.register('FormerReader');
    await server.withDatabase((db) =>
      db.query('DELETE FROM user_roles WHERE user_id = $1', [former.id]),
    );
    expect(await former.outcome('PUT', '/roles/filled', held)).toBe(forbidden);
    expect(await former.outcome('PATCH', `/users/${reader.id}`, { roles: ['reader'] })).toBe(
      forbidden,
    );
    // What takes no more than a permission holds until the token is stale, as everywhere.
    expect(await former.outcome('GET', '/users')).toBe(200);
  });
});
