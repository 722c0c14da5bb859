import {
  Column,
  Entity,
  type EntityManager,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
} from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from './user.entity.js';

/** A role of a user. The key finds the holders of a role, the newest users last. */
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

  /** The role's place among the roles of the user, from 0 on. */
  @Column('integer')
  position!: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_user_roles_user_id' })
  user?: User;
}

/** Replaces the roles of a stored user by `user.roles`. */
export async function writeRoles(
  manager: EntityManager,
  { id: userId, roles, createdAt }: Pick<User, 'id' | 'roles' | 'createdAt'>,
): Promise<void> {
  await manager.delete(UserRole, { userId });
  await addRoles(manager, [{ id: userId, roles, createdAt }]);
}

/** Stores the roles of new users. */
export async function addRoles(
  manager: EntityManager,
  users: Pick<User, 'id' | 'roles' | 'createdAt'>[],
): Promise<void> {
  const rows = users.flatMap(({ id: userId, roles, createdAt }) =>
    [...new Set(roles)].map((role, position) => ({ role, createdAt, userId, position })),
  );
  if (rows.length > 0) await manager.insert(UserRole, rows);
}
