import { Column, Entity, Index } from 'typeorm';
import { OutboxRow } from '../outbox/outbox-row.js';
import { epochMillis } from '../database/time.js';

/** An event that waits to be sent, or was given up. */
@Entity('webhook_outbox')
@Index('uq_webhook_outbox_user_position', ['userId', 'position'], { unique: true })
export class WebhookItem extends OutboxRow {
  /** The user that it is about, who may be deleted. Events of one user are sent in order. */
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  /** Its place among the stored events of the user. */
  @Column('integer')
  position!: number;

  @Column('varchar', { length: 64 })
  type!: string;

  /** The body in the form that is sent: JSON. */
  @Column('text')
  payload!: string;

  /** Null once it was given up. An event also waits until the earlier ones of its user are done. */
  @Index('ix_webhook_outbox_due_at')
  @Column('bigint', { name: 'due_at', nullable: true, transformer: epochMillis })
  dueAt!: Date | null;
}
