import type { EntityManager } from 'typeorm';
import { UsernameClaim } from './username-claim.entity.js';

/** Returns a user's present and former names, for the user's export. */
export async function exportNames(manager: EntityManager, userId: string): Promise<object[]> {
  const names = await manager.find(UsernameClaim, {
    where: { userId },
    order: { skeleton: 'ASC' },
  });
  return names.map(({ skeleton, reservedUntil }) => ({ skeleton, reservedUntil }));
}
