import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { lock } from '../database/advisory-locks.js';
import { isDisabled, isEnabledSql, User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';

/** The role that may do everything. */
export const ADMIN = 'admin';

/**
 * Refuses a change, by which `before` becomes `after` (null: is removed), after which no administrator
 * could sign in. In the transaction of that change: who takes away another administrator meanwhile
 * waits for its end, and then counts without this one.
 *
 * @throws ApiError last_admin
 */
export async function keepAnAdmin(
  manager: EntityManager,
  before: User,
  after: User | null,
): Promise<void> {
  if (!isAdmin(before) || (after && isAdmin(after))) return;
  await lock(manager, 'lastAdministrator');
  const another = await manager
    .createQueryBuilder(User, 'u')
    .innerJoin(UserRole, 'held', 'held.userId = u.id AND held.role = :role', { role: ADMIN })
    .where('u.id <> :id', { id: before.id })
    .andWhere(isEnabledSql(':now'), { now: Date.now() })
    .limit(1)
    .getOne();
  if (!another) throw new ApiError('last_admin');
}

const isAdmin = (user: User): boolean => user.roles.includes(ADMIN) && !isDisabled(user);
