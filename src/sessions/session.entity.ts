import {
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type ValueTransformer,
} from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';
import type { Aal } from './assurance.js';

/** Stores a list of names, which have no spaces, as one text. */
const names: ValueTransformer = {
  to: (list: unknown) => (Array.isArray(list) ? list.join(' ') : list),
  from: (text: string) => text.split(' '),
};

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

  /** The methods that the user has proven in this session; see {@link Assurance}. */
  @Column('varchar', { length: 64, transformer: names })
  amr!: string[];

  /** The authentication assurance level, 1 or 2 (NIST SP 800-63B). */
  @Column('integer')
  aal!: Aal;

  /** When the user last proved a credential in this session; the claim `auth_time`. */
  @Column('bigint', { name: 'authenticated_at', transformer: epochMillis })
  authenticatedAt!: Date;

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
