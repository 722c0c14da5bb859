import type { EntityManager } from 'typeorm';
import { OneTimeToken } from './one-time-token.entity.js';

/** Returns the links that were mailed to a user, for the user's export, without tokens and codes. */
export async function exportLinks(manager: EntityManager, userId: string): Promise<object[]> {
  const links = await manager.find(OneTimeToken, {
    where: { userId },
    order: { createdAt: 'ASC' },
  });
  return links.map(({ purpose, payload, createdAt, expiresAt, usedAt }) => ({
    purpose,
    email: payload?.email ?? null,
    createdAt,
    expiresAt,
    usedAt,
  }));
}
