import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** A mail that is still to be sent, or was given up; sent ones are deleted. */
@Entity('mail_outbox')
export class OutboxItem {
  /** UUID; the mail's Message-ID is made of it, so that a mail sent twice can be told. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  /** Whom it is about: when the user is deleted, so is the mail. Null for the farewell. */
  @Index('ix_mail_outbox_user_id')
  @Column('varchar', { name: 'user_id', length: 36, nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_mail_outbox_user_id' })
  user?: User;

  @Column('varchar', { length: 64 })
  template!: string;

  /** Recipient, language and values, encrypted (see `MailSeal`); empty once it was given up. */
  @Column('text')
  sealed!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  /** From here on nobody needs it any more, and it is given up. */
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  /**
   * When it may be tried next. Who tries moves this on first, so that nobody else does, and somebody
   * else does if that one dies.
   */
  @Index('ix_mail_outbox_due_at')
  @Column('bigint', { name: 'due_at', transformer: epochMillis })
  dueAt!: Date;

  /** How often it was tried; the number of a try also tells whose try it is. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('bigint', { name: 'failed_at', nullable: true, transformer: epochMillis })
  failedAt!: Date | null;

  /** Why the last try failed, without anything that the other server said. */
  @Column('varchar', { length: 255, nullable: true })
  failure!: string | null;
}
