import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { lock } from '../database/advisory-locks.js';
import { canSignIn, canSignInSql, type SignInSettings } from './can-sign-in.js';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';

/** The role with all permissions. */
export const ADMIN = 'admin';

/**
 * Refuses a change after which no administrator could sign in. Call it in the transaction of the change:
 * another transaction that removes an administrator waits for its end, and then counts without that
 * administrator.
 *
 * @param before the user before the change
 * @param after the user after the change; null if it removes the user
 * @throws ApiError last_admin
 */
export async function keepAnAdmin(
  manager: EntityManager,
  settings: SignInSettings,
  before: User,
  after: User | null,
): Promise<void> {
  const counts = (user: User) => user.roles.includes(ADMIN) && canSignIn(user, settings);
  if (!counts(before) || (after && counts(after))) return;
  await lock(manager, 'lastAdministrator');
  const another = await manager
    .createQueryBuilder(User, 'u')
    .innerJoin(UserRole, 'held', 'held.userId = u.id AND held.role = :role', { role: ADMIN })
    .where('u.id <> :id', { id: before.id })
    .andWhere(canSignInSql(settings, ':now'), { now: clock.now() })
    .limit(1)
    .getOne();
  if (!another) throw new ApiError('last_admin');
}
