import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { SignInsService } from '../src/auth/sign-ins.service.js';
import { Metrics } from '../src/common/metrics.js';
import { Database } from '../src/database/database.js';
import { Session } from '../src/sessions/session.entity.js';
import type { Assurance } from '../src/sessions/assurance.js';
import { SessionStartService } from '../src/sessions/session-start.service.js';
import { User } from '../src/users/user.entity.js';
import { UsersService } from '../src/users/users.service.js';
import { databaseKind } from './support/databases.js';
import { type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const ONE_FACTOR: Assurance = { amr: ['pwd'], aal: 1 };
const ORIGIN = { address: '127.0.0.1', userAgent: 'none' };
const bannedFor = (hours: number) => ({
  disabledAt: new Date(0),
  disabledUntil: new Date(Date.now() + hours * 3_600_000),
});

it.each([
  ['with another password', { passwordHash: 'another' }, 0],
  ['disabled', { disabledAt: new Date(0) }, 0],
  ['disabled for an hour yet', bannedFor(1), 0],
  ['disabled until an hour ago', bannedFor(-1), 1],
] as const)('a user %s meanwhile is looked at as that when a session starts', async (...of) => {
  const [, change, count] = of;
  const { id: userId } = await server.register(`Changing${randomUUID().slice(0, 8)}`);
  await server.withDatabase(async (db) => {
    const user = await db.getRepository(User).findOneByOrFail({ id: userId });
    const seen = { ...user, assurance: ONE_FACTOR };
    let starting: ReturnType<SessionStartService['start']> | undefined;
    await db.transaction(async (manager) => {
      await manager.update(User, { id: userId }, change);
      starting = server.app.get(SessionStartService, { strict: false }).start(seen, ORIGIN);
      // On SQLite nobody can be asked.
      while (databaseKind() === 'postgres' && !(await isWaitedFor(manager)));
    });
    const started = await starting;
    const sessions = await db.getRepository(Session).findBy({ userId });
    expect(sessions).toHaveLength(count);
    expect(started?.id).toBe(sessions[0]?.id);
    for (const session of sessions) {
      expect(session).toMatchObject({ ...ORIGIN, endedAt: null });
      expect(session.lastUsedAt).toEqual(started?.authenticatedAt);
      expect(session.refreshedAt).toEqual(started?.authenticatedAt);
    }
  });
});

it('signs in within the transaction of a caller, or not at all if that is rolled back', async () => {
  const { id } = await server.register('Inside');
  const signIns = server.app.get(SignInsService, { strict: false });
  const database = server.app.get(Database);
  const user = await server.app.get(UsersService, { strict: false }).findById(id);
  if (!user) throw new Error('no such user');
  const successes = async () =>
    Number(
      /\{result="success"\} (\d+)/.exec(
        await server.app.get(Metrics).registry.getSingleMetricAsString('latchkey_logins_total'),
      )?.[1],
    );
  const before = await successes();
  const signIn = (failure?: Error) =>
    database.transaction(async (manager) => {
      const done = await signIns.complete(user, { assurance: ONE_FACTOR }, ORIGIN, manager);
      if (failure) throw failure;
      return done;
    });
  const sessions = () =>
    server.withDatabase((db) => db.getRepository(Session).countBy({ userId: id }));
  await expect(signIn(new Error('rolled back'))).rejects.toThrow('rolled back');
  expect([await sessions(), await successes()]).toEqual([0, before]);
  const done = await signIn();
  expect([await sessions(), await successes()]).toEqual([1, before + 1]);
  const jwt = done.outcome === 'signed_in' ? done.tokens.jwt : '';
  const greeting = await server.http.get('/protected').set('authorization', `Bearer ${jwt}`);
  expect(greeting.body).toEqual({ hello_from: 'Inside' });
});

it('asks for another proof if the password has changed since', async () => {
  const { id } = await server.register('Renewed');
  const user = await server.app.get(UsersService, { strict: false }).findById(id);
  if (!user) throw new Error('no such user');
  const method = { assurance: ONE_FACTOR, hash: 'an older one' };
  const signIns = server.app.get(SignInsService, { strict: false });
  expect(await signIns.complete(user, method, ORIGIN)).toEqual({ outcome: 'changed' });
});

/** Whether a session of PostgreSQL waits for the transaction of `manager`. */
async function isWaitedFor(manager: EntityManager): Promise<boolean> {
  const waiting =
    'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))';
  return (await manager.query<unknown[]>(waiting)).length > 0;
}
