import { Column, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** The columns that every outbox has. A delivered row is deleted. */
export abstract class OutboxRow {
  /** A UUID, the same at each try, so the receiver can recognize a second delivery. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  /** After this time the row is given up. */
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  /**
   * When it may be tried next; null if it has to wait for something else. A worker that takes the row moves
   * this on first, so no other worker takes it. If that worker dies, another one takes the row at this time.
   */
  abstract dueAt: Date | null;

  /** The number of tries. It also identifies the try that holds the row. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('bigint', { name: 'failed_at', nullable: true, transformer: epochMillis })
  failedAt!: Date | null;

  /** Why the last try failed, without any text of the other server. */
  @Column('varchar', { length: 255, nullable: true })
  failure!: string | null;
}
