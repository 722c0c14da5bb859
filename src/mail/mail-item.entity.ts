import { Column, Entity, Index, JoinColumn, ManyToOne } from 'typeorm';
import { OutboxRow } from '../outbox/outbox-row.js';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/**
 * A mail that was not sent yet or was given up, or a request for one. The Message-ID is made of the id.
 */
@Entity('mail_outbox')
export class MailItem extends OutboxRow {
  /** The user whose deletion also deletes the mail; null for a request and for the mail about a deletion. */
  @Index('ix_mail_outbox_user_id')
  @Column('varchar', { name: 'user_id', length: 36, nullable: true })
  userId!: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_mail_outbox_user_id' })
  user?: User;

  /** The mail's template; null for a request. */
  @Column('varchar', { length: 64, nullable: true })
  template!: string | null;

  /**
   * The purpose of a request: a mail for the account that holds the recipient's address, which the worker looks
   * up. Null for a mail.
   */
  @Column('varchar', { length: 64, nullable: true })
  request!: string | null;

  /** Recipient, language and values, encrypted (see `MailSeal`); empty after it was given up. */
  @Column('text')
  sealed!: string;

  @Index('ix_mail_outbox_due_at')
  @Column('bigint', { name: 'due_at', transformer: epochMillis })
  dueAt!: Date;
}
