import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Session } from '../src/sessions/session.entity.js';
import { SessionsService } from '../src/sessions/sessions.service.js';
import { User } from '../src/users/user.entity.js';
import { databaseKind } from './support/databases.js';
import { type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

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
    let starting: ReturnType<SessionsService['start']> | undefined;
    await db.transaction(async (manager) => {
      await manager.update(User, { id: userId }, change);
      starting = server.app.get(SessionsService, { strict: false }).start(user, ORIGIN);
      // On SQLite nobody can be asked.
      while (databaseKind === 'postgres' && !(await isWaitedFor(manager)));
    });
    const started = await starting;
    const sessions = await db.getRepository(Session).findBy({ userId });
    expect(sessions).toHaveLength(count);
    expect(started?.id).toBe(sessions[0]?.id);
    for (const session of sessions) {
      expect(session).toMatchObject({ ...ORIGIN, endedAt: null });
      expect(session.lastUsedAt).toEqual(started?.createdAt);
      expect(session.refreshedAt).toEqual(started?.createdAt);
    }
  });
});

/** Whether a session of PostgreSQL waits for the transaction of `manager`. */
async function isWaitedFor(manager: EntityManager): Promise<boolean> {
  const waiting =
    'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))';
  return (await manager.query<unknown[]>(waiting)).length > 0;
}
