import type { EntityManager, ObjectLiteral, Repository } from 'typeorm';
import { clock } from '../common/clock.js';

/**
 * Returns SQL for the position of a new row of `table`, in the order in which transactions began to write. On
 * PostgreSQL it is the number of the transaction. On SQLite, where one transaction writes at a time, it is
 * the time, or one more than the last position. So an emptied table does not restart at 0.
 */
export function positionSql(manager: EntityManager, table: string): string {
  return manager.connection.options.type === 'postgres'
    ? 'pg_current_xact_id()::text::bigint'
    : `(SELECT max(coalesce(max(position), 0) + 1, ${clock.now()}) FROM ${table})`;
}

/**
 * Reads a table's new rows, independent of any clock and of the time that a transaction takes to commit. A
 * row may come more than once, but every committed row comes.
 */
export class CommitOrder<T extends ObjectLiteral> {
  /** Every transaction with a lower position had ended at the last read. */
  private from = 0;

  constructor(
    private readonly rows: Repository<T>,
    private readonly table: string,
  ) {}

  /**
   * Reads the rows that were committed since the last call. At first, and after a failure, it reads all rows.
   */
  async next(): Promise<T[]> {
    const { from } = this;
    this.from = 0;
    const horizon = await this.horizon();
    const rows = await this.rows
      .createQueryBuilder('one')
      // A horizon below `from` means that the database was replaced.
      .where('one.position >= :from', { from: horizon < from ? 0 : from })
      .getMany();
    this.from = horizon;
    return rows;
  }

  /** Returns the lowest position that a running or future transaction may have. */
  private async horizon(): Promise<number> {
    const { manager } = this.rows;
    const [row] = await manager.query<{ horizon: string | number | null }[]>(
      manager.connection.options.type === 'postgres'
        ? 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon'
        : `SELECT max(position) AS horizon FROM ${this.table}`,
    );
    return Number(row?.horizon ?? 0);
  }
}
