import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Counts attempts at codes that do not exist, so that such an attempt writes a row like any other and takes as
 * long. An attempt goes to a random row, which says neither who tried nor for which account.
 */
@Entity('code_misses')
export class CodeMiss {
  @PrimaryColumn('integer')
  slot!: number;

  @Column('bigint', { transformer: { to: Number, from: Number } })
  misses!: number;
}
