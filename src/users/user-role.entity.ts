import { Entity, type EntityManager, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from './user.entity.js';

/** Who has a role, the newest users last: `users.roles` the other way round. */
@Entity('user_roles')
export class UserRole {
  @PrimaryColumn('varchar', { length: 255 })
  role!: string;

  /** When the user, not the role, was made. */
  @PrimaryColumn('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Index('ix_user_roles_user_id')
  @PrimaryColumn('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_user_roles_user_id' })
  user?: User;
}

/** Makes the rows say what `user.roles` says, in the transaction that stores those. */
export async function writeRoles(
  manager: EntityManager,
  { id: userId, roles, createdAt }: Pick<User, 'id' | 'roles' | 'createdAt'>,
): Promise<void> {
  await manager.delete(UserRole, { userId });
  if (roles.length === 0) return;
  await manager.insert(
    UserRole,
    [...new Set(roles)].map((role) => ({ role, createdAt, userId })),
  );
}
