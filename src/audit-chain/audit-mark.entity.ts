import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Where the chain begins (after the last row that retention has removed), where it ends, and up to where
 * it was sealed by keys that could no longer be opened when there had to be a new one.
 */
export type MarkName = 'start' | 'head' | 'rekeyed';

/** A place in the chain, vouched for by a MAC. */
@Entity('audit_marks')
export class AuditMark {
  @PrimaryColumn('varchar', { length: 8 })
  name!: MarkName;

  @Column('bigint', { transformer: { to: Number, from: Number } })
  seq!: number;

  /** That of the row there; empty before the first. */
  @Column('varchar', { length: 64 })
  hash!: string;

  @Column('varchar', { length: 64 })
  mac!: string;
}
