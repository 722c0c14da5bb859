import { ADVISORY_LOCKS } from '../src/database/advisory-locks.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { User } from '../src/users/user.entity.js';
import { asking, type Person, person } from './support/admins.js';
import { databaseKind } from './support/databases.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const later = (ms: number) => new Date(Date.now() + ms).toISOString();

/** Gives the role of administrators to these users alone. */
async function onlyAdmins(server: Server, ...ids: string[]): Promise<void> {
  const changes = server.app.get(UserChangesService, { strict: false });
  for (const id of ids) await changes.setRoles(id, ['admin']);
  for (const { id, roles } of await usersOf(server)) {
    if (roles.includes('admin') && !ids.includes(id)) await changes.setRoles(id, []);
  }
}

const usersOf = (server: Server) => server.withDatabase((db) => db.getRepository(User).find());

/** What becomes of each way to take the only administrator away. */
async function waysToLose(root: Person): Promise<(number | string)[]> {
  const path = `/users/${root.id}`;
  return [
    await root.outcome('PATCH', path, { roles: [] }),
    await root.outcome('PATCH', path, { disabled: {} }),
    await root.outcome('PATCH', path, { disabled: { until: later(60_000) } }),
    await root.outcome('DELETE', path),
  ];
}
const LAST_ADMIN = { msg: 'This is the last administrator', code: 'last_admin' };
const ALL_REFUSED = ['last_admin', 'last_admin', 'last_admin', 'last_admin'];

describe('the last administrator who can sign in', () => {
  let server: Server;
  let twin: Server;
  let root: Person;
  beforeAll(async () => {
    server = await startServer();
    twin = await startServer({ DATABASE_URL: server.database.url });
    root = await person(server, 'Root', ['admin']);
  });
  afterAll(async () => {
    await twin.stop();
    await server.stop();
  });

  it('cannot be demoted or disabled, by themselves or another', async () => {
    await onlyAdmins(server, root.id);
    const path = `/users/${root.id}`;
    for (const body of [
      { roles: [] },
      { disabled: {} },
      { disabled: { until: later(60_000) } },
      { roles: [], disabled: {} },
    ]) {
      expect(await root.ask('PATCH', path, body)).toEqual({ status: 409, body: LAST_ADMIN });
    }
    expect(await root.ask('DELETE', path)).toEqual({ status: 409, body: LAST_ADMIN });
    expect(await root.outcome('GET', path)).toBe(200);
    const stored = await usersOf(server);
    expect(stored.find(({ id }) => id === root.id)?.roles).toEqual(['admin']);
    expect(await root.outcome('PATCH', path, { disabled: null })).toBe(200);
  });

  it('is who is left when the others are disabled', async () => {
    const other = await person(server, 'OtherAdmin', ['admin']);
    await onlyAdmins(server, root.id, other.id);
    expect(await root.outcome('PATCH', `/users/${other.id}`, { disabled: {} })).toBe(200);
    expect(await root.outcome('PATCH', `/users/${root.id}`, { roles: [] })).toBe('last_admin');
    // A disabled one may go, for none goes with it.
    expect(await root.outcome('PATCH', `/users/${other.id}`, { roles: [] })).toBe(200);
  });

  if (databaseKind() === 'postgres') {
    it('is found without waiting for the chain of the audit', async () => {
      const other = await person(server, 'Unchained', ['admin']);
      await onlyAdmins(server, root.id, other.id);
      await server.withDatabase((db) =>
        db.transaction(async (manager) => {
          await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.audit]);
          expect(await root.outcome('PATCH', `/users/${other.id}`, { roles: [] })).toBe(200);
        }),
      );
    });
  }

  it('is not replaced by one without a password', async () => {
    const { body } = await root.ask('POST', '/users', { username: 'Invited', roles: ['admin'] });
    const imported = await server.register('Imported');
    await onlyAdmins(server, root.id, body.id as string, imported.id);
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id: imported.id }, { passwordHash: '!' }),
    );
    expect(await waysToLose(root)).toEqual(ALL_REFUSED);
    expect(await root.outcome('GET', '/users')).toBe(200);
  });

  it('is not replaced by one whose ban is yet to end, but by one whose ban has ended', async () => {
    const banned = await server.register('Banned');
    await onlyAdmins(server, root.id, banned.id);
    const disable = { disabled: { until: later(60_000) } };
    expect(await root.outcome('PATCH', `/users/${banned.id}`, disable)).toBe(200);
    expect(await waysToLose(root)).toEqual(ALL_REFUSED);
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id: banned.id }, { disabledUntil: new Date(Date.now() - 1) }),
    );
    expect(await root.outcome('PATCH', `/users/${root.id}`, { disabled: {} })).toBe(200);
  });

  it('is one of two that demote, disable or delete each other at once', async () => {
    for (let round = 0; round < 9; round++) {
      const one = await person(server, `duellist${round}a`, ['admin']);
      const two = await person(server, `duellist${round}b`, ['admin']);
      await onlyAdmins(server, one.id, two.id);
      const method = round % 3 ? 'PATCH' : 'DELETE';
      const body = [undefined, { roles: [] }, { disabled: {} }][round % 3];
      const outcomes = await Promise.all([
        one.outcome(method, `/users/${two.id}`, body),
        asking(twin, two.jwt).outcome(method, `/users/${one.id}`, body),
      ]);
      // Who is refused is the last one, or no longer an administrator.
      expect(outcomes.filter((outcome) => typeof outcome === 'number')).toHaveLength(1);
      const stored = await usersOf(server);
      const left = stored.filter(({ roles, disabledAt }) => roles[0] === 'admin' && !disabledAt);
      expect(left).toHaveLength(1);
    }
  });
});

describe('the last administrator who can sign in, if that takes a verified address', () => {
  let server: Server;
  let twin: Server;
  let root: Person;
  beforeAll(async () => {
    const settings = { REQUIRE_VERIFIED_EMAIL: 'on' };
    server = await startServer(settings);
    twin = await startServer({ ...settings, DATABASE_URL: server.database.url });
    root = await verified('Root');
  });
  afterAll(async () => {
    await twin.stop();
    await server.stop();
  });

  /** A signed-in administrator with a verified address. */
  async function verified(name: string): Promise<Person> {
    const { id } = await server.register(name, undefined, `${name}@example.com`);
    const changes = server.app.get(UserChangesService, { strict: false });
    await changes.update(id, { roles: ['admin'], verified: true });
    const tokens = await server.login(name);
    return { id, name, ...tokens, ...asking(server, tokens.jwt) };
  }

  it('is not replaced by one whose address is not verified, and keeps the own address verified', async () => {
    const { id } = await server.register('Unverified', undefined, 'unverified@example.com');
    await onlyAdmins(server, root.id, id);
    expect(await waysToLose(root)).toEqual(ALL_REFUSED);
    expect(await root.ask('PATCH', `/users/${root.id}`, { verified: false })).toEqual({
      status: 409,
      body: LAST_ADMIN,
    });
    expect((await server.login('Root')).jwt).toEqual(expect.any(String));
  });

  it('is left if two take the verification from each other at once', async () => {
    for (let round = 0; round < 6; round++) {
      const one = await verified(`one${round}`);
      const two = await verified(`two${round}`);
      await onlyAdmins(server, one.id, two.id);
      const body = { verified: false };
      const [first, second] = [await server.login(one.name), await server.login(two.name)];
      const outcomes = await Promise.all([
        asking(server, first.jwt).outcome('PATCH', `/users/${two.id}`, body),
        asking(twin, second.jwt).outcome('PATCH', `/users/${one.id}`, body),
      ]);
      expect(outcomes.sort()).toEqual([200, 'last_admin']);
      const left = (await usersOf(server)).filter(
        ({ roles, emailVerifiedAt }) => roles.includes('admin') && emailVerifiedAt !== null,
      );
      expect(left).toHaveLength(1);
    }
  });

  it('gets no session once the verification is gone', async () => {
    const gone = await verified('Gone');
    const keeper = await verified('Keeper');
    expect(await keeper.outcome('PATCH', `/users/${gone.id}`, { verified: false })).toBe(200);
    const response = await server.http
      .post('/login')
      .send({ username: 'Gone', password: GOOD_PASSWORD });
    expect([response.status, (response.body as { code: string }).code]).toEqual([
      403,
      'email_not_verified',
    ]);
  });
});
