import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Tries of codes that met no live one, in a few rows of which any counts any try: who tried for whom is
 * not kept. They are written so that such a try takes as long as one that a code counts.
 */
@Entity('code_misses')
export class CodeMiss {
  @PrimaryColumn('integer')
  slot!: number;

  @Column('bigint', { transformer: { to: Number, from: Number } })
  misses!: number;
}
