import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The three marks. `start` is where the chain begins, after the last row that retention removed. `head` is
 * where it ends. `rekeyed` is how far it was sealed by keys that no longer opened when a new one was made.
 */
export type MarkName = 'start' | 'head' | 'rekeyed';

/** A place in the chain, protected by a MAC. */
@Entity('audit_marks')
export class AuditMark {
  @PrimaryColumn('varchar', { length: 8 })
  name!: MarkName;

  @Column('bigint', { transformer: { to: Number, from: Number } })
  seq!: number;

  /** The hash of the row at this place; empty before the first row. */
  @Column('varchar', { length: 64 })
  hash!: string;

  @Column('varchar', { length: 64 })
  mac!: string;
}
