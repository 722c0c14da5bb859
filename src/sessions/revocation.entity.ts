import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';

/**
 * Tells every instance that issued access tokens are no longer valid: those of one session, or those of a
 * user below a version. The row outlives its session and user, and is removed when the last such token has
 * expired.
 */
@Entity('revocations')
export class Revocation {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  /** The session that ended; null if `belowVersion` concerns all of the user's tokens. */
  @Column('varchar', { name: 'session_id', length: 36, nullable: true })
  sessionId!: string | null;

  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  /** Tokens whose claim `ver` is lower are refused. */
  @Column('integer', { name: 'below_version', nullable: true })
  belowVersion!: number | null;

  /** Whether a refresh brings a good token (the roles changed). Otherwise the session is over. */
  @Column('boolean')
  stale!: boolean;

  @Index('ix_revocations_revoked_at')
  @Column('bigint', { name: 'revoked_at', transformer: epochMillis })
  revokedAt!: Date;

  /** The row's position in the order of commits; see `CommitOrder`. The rows of one transaction share it. */
  @Index('ix_revocations_position')
  @Column('bigint', { select: false })
  position!: string;
}
