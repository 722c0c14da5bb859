import type { EntityManager } from 'typeorm';
import { rowLock } from '../database/row-lock.js';
import { User } from './user.entity.js';

/**
 * Returns the user as it is now, or null. No other transaction changes or deletes the user before that of
 * `manager` ends, so rows that refer to the user can be stored.
 */
export function lockUser(manager: EntityManager, id: string): Promise<User | null> {
  return manager.findOne(User, { where: { id }, ...rowLock(manager, 'update') });
}

/** Returns the user who holds an e-mail address, locked likewise, or null. */
export function lockHolder(manager: EntityManager, emailKey: string): Promise<User | null> {
  return manager.findOne(User, { where: { emailKey }, ...rowLock(manager, 'update') });
}
