import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** A mailed link, and perhaps a code, that can be used once. */
@Entity('one_time_tokens')
@Index('uq_one_time_tokens_slot', ['userId', 'purpose', 'slot'], { unique: true })
export class OneTimeToken {
  /** SHA-256 of the token, which is 256 random bits; base64url. */
  @PrimaryColumn('varchar', { name: 'token_hash', length: 43 })
  tokenHash!: string;

  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_one_time_tokens_user_id' })
  user?: User;

  /** The name of the flow, as declared with `MailedLinks`. */
  @Column('varchar', { length: 64 })
  purpose!: string;

  /**
   * Empty if a newer token of the purpose replaces this one, by the unique index. A UUID if this token stays
   * valid beside newer ones.
   */
  @Column('varchar', { length: 36 })
  slot!: string;

  /** The code's MAC under a key that is not in the database; null if there is no code. */
  @Column('varchar', { name: 'code_mac', length: 43, nullable: true })
  codeMac!: string | null;

  /** How often the code was tried. */
  @Column('integer', { name: 'code_attempts', default: 0 })
  codeAttempts!: number;

  /** SHA-256 of the state that must not change before the token is used. */
  @Column('varchar', { length: 43 })
  guard!: string;

  /** More data about the change, such as a new address. */
  @Column('simple-json', { nullable: true })
  payload!: Partial<Record<string, string>> | null;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Index('ix_one_time_tokens_expires_at')
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  @Column('bigint', { name: 'used_at', nullable: true, transformer: epochMillis })
  usedAt!: Date | null;
}
