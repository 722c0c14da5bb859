import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** One of a user's recovery codes. */
@Entity('recovery_codes')
@Index('uq_recovery_codes_mac', ['userId', 'mac'], { unique: true })
export class RecoveryCode {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_recovery_codes_user_id' })
  user?: User;

  /** The code's HMAC-SHA-256 under a key that is not in the database; base64url. */
  @Column('varchar', { length: 43 })
  mac!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Column('bigint', { name: 'used_at', nullable: true, transformer: epochMillis })
  usedAt!: Date | null;
}
