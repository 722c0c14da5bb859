import type { EntityManager } from 'typeorm';
import type { FactorKind } from '../factors/factor-kinds.js';
import type { Factor } from '../users/second-factors.js';
import { Passkey } from './passkey.entity.js';

/** The name of passkeys among the factors, of their method, and of the field of their proof. */
export const KIND = 'passkey';

/**
 * Returns the methods that a passkey with user verification proves (RFC 8176): a key in hardware, or in
 * software if it can leave the device; and the user, whom the device has recognised.
 */
export const methodsOf = ({ backupEligible }: Pick<Passkey, 'backupEligible'>): string[] => [
  backupEligible ? 'swk' : 'hwk',
  'user',
];

/** Passkeys among the factors of users. */
export const passkeyKind: FactorKind = {
  kind: KIND,
  list: async (manager, userId) => (await find(manager, userId)).map(factorOf),
  rename: async (manager, userId, id, name) => {
    const [passkey] = await find(manager, userId, id);
    if (!passkey) return undefined;
    await manager.update(Passkey, { id, userId }, { name });
    return factorOf({ ...passkey, name });
  },
  delete: async (manager, userId, id) => {
    const removed = await find(manager, userId, id);
    for (const passkey of removed) await manager.delete(Passkey, { id: passkey.id });
    return removed.map(factorOf);
  },
};

const find = (manager: EntityManager, userId: string, id?: string): Promise<Passkey[]> =>
  manager.find(Passkey, {
    where: { userId, ...(id !== undefined && { id }) },
    order: { createdAt: 'ASC', id: 'ASC' },
  });

const factorOf = ({ id, name, createdAt, lastUsedAt }: Passkey): Factor => ({
  id,
  kind: KIND,
  name,
  createdAt,
  lastUsedAt,
});
