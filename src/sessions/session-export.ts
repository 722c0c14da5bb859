import type { EntityManager } from 'typeorm';
import { Session } from './session.entity.js';

/** Returns a user's sessions for the user's export, without the salts of refresh tokens. */
export async function exportSessions(manager: EntityManager, userId: string): Promise<object[]> {
  const sessions = await manager.find(Session, { where: { userId }, order: { createdAt: 'ASC' } });
  return sessions.map(({ salt: _, ...session }) => session);
}
