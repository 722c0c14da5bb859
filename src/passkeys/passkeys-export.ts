import type { EntityManager } from 'typeorm';
import { Passkey } from './passkey.entity.js';
import { WebauthnChallenge } from './webauthn-challenge.entity.js';
import { WebauthnHandle } from './webauthn-handle.entity.js';

/** Returns the passkeys of a user for the user's export. The public key is no secret. */
export async function exportPasskeys(manager: EntityManager, userId: string): Promise<object[]> {
  const order = { createdAt: 'ASC', id: 'ASC' } as const;
  const passkeys = await manager.find(Passkey, { where: { userId }, order });
  return passkeys.map(({ userId: _owner, user: _user, ...shown }) => shown);
}

/** Returns the handle by which authenticators know a user, for the user's export. */
export async function exportHandle(manager: EntityManager, userId: string): Promise<object[]> {
  const handles = await manager.findBy(WebauthnHandle, { userId });
  return handles.map(({ handle }) => ({ handle }));
}

/** Returns the ceremonies that a user has completed lately, for the user's export. */
export async function exportCeremonies(manager: EntityManager, userId: string): Promise<object[]> {
  const order = { expiresAt: 'ASC' } as const;
  const rows = await manager.find(WebauthnChallenge, { where: { userId }, order });
  return rows.map(({ ceremony, expiresAt }) => ({ ceremony, expiresAt }));
}
