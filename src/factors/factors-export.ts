import type { EntityManager } from 'typeorm';
import { RecoveryCode } from './recovery-code.entity.js';
import { SignInChallenge } from './sign-in-challenge.entity.js';

/** Returns the recovery codes of a user for the user's export: their times, and no secret. */
export async function exportRecoveryCodes(
  manager: EntityManager,
  userId: string,
): Promise<object[]> {
  const codes = await manager.find(RecoveryCode, { where: { userId }, order: { id: 'ASC' } });
  return codes.map(({ createdAt, usedAt }) => ({ createdAt, usedAt }));
}

/** Returns the unfinished sign-ins of a user for the user's export. */
export async function exportChallenges(manager: EntityManager, userId: string): Promise<object[]> {
  const rows = await manager.find(SignInChallenge, {
    where: { userId },
    order: { expiresAt: 'ASC' },
  });
  return rows.map(({ amr, attempts, expiresAt, usedAt }) => ({ amr, attempts, expiresAt, usedAt }));
}
