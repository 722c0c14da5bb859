import { Column, Entity, Index, JoinColumn, ManyToOne } from 'typeorm';
import { OutboxRow } from '../outbox/outbox-row.js';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** A mail that is still to be sent, or was given up; its Message-ID is made of its id. */
@Entity('mail_outbox')
export class OutboxItem extends OutboxRow {
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

  @Index('ix_mail_outbox_due_at')
  @Column('bigint', { name: 'due_at', transformer: epochMillis })
  dueAt!: Date;
}
