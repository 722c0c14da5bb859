import type { EntityManager } from 'typeorm';
import { MailChallenge } from './mail-challenge.entity.js';

/**
 * Returns the unfinished sign-ins by mail of a user, for the user's export. Another person may have asked for the
 * mail, so it does not tell from where.
 */
export async function exportMailChallenges(
  manager: EntityManager,
  userId: string,
): Promise<object[]> {
  const rows = await manager.find(MailChallenge, {
    where: { userId },
    order: { createdAt: 'ASC' },
  });
  return rows.map(({ attempts, createdAt, expiresAt }) => ({ attempts, createdAt, expiresAt }));
}
