import type { EntityManager } from 'typeorm';
import { TotpFactor } from './totp-factor.entity.js';

/** Returns the authenticator apps of a user for the user's export, without their secrets. */
export async function exportApps(manager: EntityManager, userId: string): Promise<object[]> {
  const apps = await manager.find(TotpFactor, { where: { userId }, order: { createdAt: 'ASC' } });
  return apps.map(({ name, createdAt, confirmedAt, lastUsedAt }) => ({
    name,
    createdAt,
    confirmedAt,
    lastUsedAt,
  }));
}
