import { Column, Entity, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** A key of the audit, encrypted under the server's secret. */
@Entity('audit_keys')
export class AuditKey {
  /** The id with which the MACs of this key begin. */
  @PrimaryColumn('varchar', { length: 8 })
  id!: string;

  @Column('varchar', { length: 128 })
  sealed!: string;

  /** Identifies the secret that sealed the key. */
  @Column('varchar', { name: 'secret_check', length: 43 })
  secretCheck!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;
}
