import { Column, Entity, Index } from 'typeorm';
import { OutboxRow } from '../outbox/outbox-row.js';
import { epochMillis } from '../database/time.js';

/** An event that is still to be sent, or was given up. */
@Entity('webhook_outbox')
@Index('uq_webhook_outbox_user_position', ['userId', 'position'], { unique: true })
export class WebhookItem extends OutboxRow {
  /** Whom it is about, and whose other events it is in order with. The user may be gone. */
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  /** Its place among the user's events that are stored. */
  @Column('integer')
  position!: number;

  @Column('varchar', { length: 64 })
  type!: string;

  /** The body as it is sent: JSON. */
  @Column('text')
  payload!: string;

  /** Null while an earlier event of the user is there, and once it was given up. */
  @Index('ix_webhook_outbox_due_at')
  @Column('bigint', { name: 'due_at', nullable: true, transformer: epochMillis })
  dueAt!: Date | null;
}
