import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** What a challenge is for. */
export type Ceremony = 'registration' | 'sign_in';

/** A challenge that was used, so that it is not used again. */
@Entity('webauthn_challenges')
export class WebauthnChallenge {
  /** SHA-256 of the challenge; base64url. */
  @PrimaryColumn('varchar', { name: 'challenge_hash', length: 43 })
  challengeHash!: string;

  @Column('varchar', { length: 16 })
  ceremony!: Ceremony;

  /** The user that used it. */
  @Index('ix_webauthn_challenges_user_id')
  @Column('varchar', { name: 'user_id', length: 36, nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_webauthn_challenges_user_id' })
  user?: User;

  @Index('ix_webauthn_challenges_expires_at')
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;
}
