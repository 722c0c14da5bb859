import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** An authenticator app of a user. It is no factor until a code has confirmed it. */
@Entity('totp_factors')
export class TotpFactor {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Index('ix_totp_factors_user_id')
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_totp_factors_user_id' })
  user?: User;

  /** The user's name for it. */
  @Column('varchar', { length: 256 })
  name!: string;

  /** The shared secret, encrypted; see `TotpSecrets`. */
  @Column('varchar', { length: 128 })
  sealed!: string;

  /** The mark of the server's secret that encrypted it. */
  @Column('varchar', { name: 'sealed_by', length: 11 })
  sealedBy!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  /** When the first code was typed; null if it waits for that. */
  @Column('bigint', { name: 'confirmed_at', nullable: true, transformer: epochMillis })
  confirmedAt!: Date | null;

  /** The time step of the last accepted code. Only codes of later steps are good. */
  @Column('integer', { name: 'last_step', default: 0 })
  lastStep!: number;

  /** When its last code was accepted, in a sign-in or a step-up. */
  @Column('bigint', { name: 'last_used_at', nullable: true, transformer: epochMillis })
  lastUsedAt!: Date | null;
}
