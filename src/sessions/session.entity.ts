import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** One sign-in of one user on one device: a row however often it is refreshed. */
@Entity('sessions')
export class Session {
  /** UUID; the claim `sid`. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Index('ix_sessions_user_id')
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_sessions_user_id' })
  user?: User;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Column('bigint', { name: 'last_used_at', transformer: epochMillis })
  lastUsedAt!: Date;

  /** The earlier of the idle and the absolute expiry. */
  @Index('ix_sessions_expires_at')
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  @Index('ix_sessions_ended_at')
  @Column('bigint', { name: 'ended_at', nullable: true, transformer: epochMillis })
  endedAt!: Date | null;

  /** Why it ended: `logout`, `refresh_token_reused`, … */
  @Column('varchar', { name: 'end_reason', length: 64, nullable: true })
  endReason!: string | null;

  @Column('varchar', { name: 'user_agent', length: 512 })
  userAgent!: string;

  @Column('varchar', { length: 64 })
  address!: string;

  /** The generation of the session's current refresh token. */
  @Column('integer', { name: 'refresh_generation' })
  refreshGeneration!: number;

  /** When the generation last moved. */
  @Column('bigint', { name: 'refreshed_at', transformer: epochMillis })
  refreshedAt!: Date;

  /** The last generation that was given again after the window; see `SessionRefreshService`. */
  @Column('integer', { name: 'recovered_generation', nullable: true })
  recoveredGeneration!: number | null;

  /** Mixed into the key of the session's refresh tokens. */
  @Column('varchar', { length: 32 })
  salt!: string;
}
