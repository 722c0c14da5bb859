import { Column, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** What every outbox keeps of something that is to be delivered; delivered ones are deleted. */
export abstract class OutboxRow {
  /** UUID, the same at each try, so that what was delivered twice can be told. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  /** From here on it is given up. */
  @Column('bigint', { name: 'expires_at', transformer: epochMillis })
  expiresAt!: Date;

  /**
   * When it may be tried next; null: not before something else is done. Who tries moves this on first,
   * so that nobody else does, and somebody else does if that one dies.
   */
  abstract dueAt: Date | null;

  /** How often it was tried; the number of a try also tells whose try it is. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('bigint', { name: 'failed_at', nullable: true, transformer: epochMillis })
  failedAt!: Date | null;

  /** Why the last try failed, without anything that the other server said. */
  @Column('varchar', { length: 255, nullable: true })
  failure!: string | null;
}
