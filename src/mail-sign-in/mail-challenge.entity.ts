import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/**
 * A sign-in that waits for a mailed link or code. Each request makes one, whether or not an account has the
 * address. The mail worker binds it to the account and to the token that it mails.
 */
@Entity('mail_challenges')
export class MailChallenge {
  /** SHA-256 of the challenge, which is 256 random bits; base64url. */
  @PrimaryColumn('varchar', { name: 'challenge_hash', length: 43 })
  challengeHash!: string;

  /** A MAC of the address, by which wrong codes count for one account. */
  @Column('varchar', { name: 'account_key', length: 43 })
  accountKey!: string;

  /** The account that the mail went to; null if there is none, or no mail yet. */
  @Index('ix_mail_challenges_user_id')
  @Column('varchar', { name: 'user_id', length: 36, nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_mail_challenges_user_id' })
  user?: User;

  /** The key of the mailed token; null if there is no mail. */
  @Index('uq_mail_challenges_token_hash', { unique: true })
  @Column('varchar', { name: 'token_hash', length: 43, nullable: true })
  tokenHash!: string | null;

  /** The address of the client that asked, in its canonical form. */
  @Column('varchar', { length: 45 })
  address!: string;

  /** The user agent of the client that asked. */
  @Column('varchar', { name: 'user_agent', length: 512 })
  userAgent!: string;

  /** How often it was answered, right or wrong. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Index('ix_mail_challenges_expires_at')
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;
}
