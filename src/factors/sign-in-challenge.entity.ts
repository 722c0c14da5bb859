import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** A sign-in that waits for a second factor. */
@Entity('sign_in_challenges')
export class SignInChallenge {
  /** SHA-256 of the challenge, which is 256 random bits; base64url. */
  @PrimaryColumn('varchar', { name: 'token_hash', length: 43 })
  tokenHash!: string;

  @Index('ix_sign_in_challenges_user_id')
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_sign_in_challenges_user_id' })
  user?: User;

  /** The methods of the first factor, by the names of RFC 8176, separated by spaces. */
  @Column('varchar', { length: 64 })
  amr!: string;

  /** SHA-256 of the state that must not change before the challenge is answered. */
  @Column('varchar', { length: 43 })
  guard!: string;

  /** SHA-256 of the browser's cookie, base64url; null if the client sent none. */
  @Column('varchar', { name: 'browser_hash', length: 43, nullable: true })
  browserHash!: string | null;

  /** How often it was answered, right or wrong. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Index('ix_sign_in_challenges_expires_at')
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  @Column('bigint', { name: 'used_at', nullable: true, transformer: epochMillis })
  usedAt!: Date | null;
}
