import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from './user.entity.js';

/**
 * The user that has a name, or had it lately. The key decides between two users that claim it at the same time.
 */
@Entity('username_claims')
export class UsernameClaim {
  /** The skeleton of the name; see `skeletonOf`. */
  @PrimaryColumn({ type: 'varchar', length: 512, collation: 'C' })
  skeleton!: string;

  @Index('ix_username_claims_user_id')
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  /** Until when a former name stays reserved; null for the user's present name. */
  @Column('bigint', { name: 'reserved_until', nullable: true, transformer: epochMillis })
  reservedUntil!: Date | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_username_claims_user_id' })
  user?: User;
}
