import { type EntityManager, type FindOptionsWhere, In } from 'typeorm';
import { rowLock } from '../database/row-lock.js';
import { TableSql } from '../database/table-sql.js';
import { User } from './user.entity.js';

/**
 * Returns the stored user, or null, and locks it: until the transaction of `manager` ends, no other one
 * changes or deletes the user. So rows that refer to the user can be stored.
 */
export async function lockUser(manager: EntityManager, id: string): Promise<User | null> {
  if (manager.connection.options.type === 'postgres') {
    // See `lockUsers` for why a second statement reads the user.
    const lock = 'SELECT id FROM users WHERE id = $1 FOR UPDATE';
    if ((await manager.query<unknown[]>(lock, [id])).length === 0) return null;
  }
  const users = TableSql.of(manager, User);
  const sql = `SELECT ${users.list('u')} FROM users u WHERE u.id = $1`;
  const [row] = await manager.query<Record<string, unknown>[]>(sql, [id]);
  return row ? users.read(row, 'u') : null;
}

/** Returns the user that holds an e-mail address, locked likewise, or null. */
export async function lockHolder(manager: EntityManager, emailKey: string): Promise<User | null> {
  const [user = null] = await lockUsers(manager, { emailKey });
  return user;
}

/** Returns the users that match, as they are now, locked in the order of their ids. */
export async function lockUsers(
  manager: EntityManager,
  where: FindOptionsWhere<User>,
): Promise<User[]> {
  const lock = rowLock(manager, 'update');
  // Every transaction locks in this order, so two of them cannot wait for each other in a circle.
  const order = { id: 'ASC' } as const;
  // A statement that waits for a lock sees the locked row as it is then, but the rows of `user_roles` as they
  // were when it began. So a second statement reads the users.
  const locked =
    lock.lock && (await manager.find(User, { select: { id: true }, where, order, ...lock }));
  const found = locked ? { id: In(locked.map(({ id }) => id)) } : where;
  return locked?.length === 0 ? [] : manager.find(User, { where: found, order });
}
