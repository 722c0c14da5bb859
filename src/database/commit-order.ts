import type { EntityManager, ObjectLiteral, Repository } from 'typeorm';
import { clock } from '../common/clock.js';

/**
 * SQL for the position of a new row of `table`, in the order in which transactions began to write. On
 * PostgreSQL it is the number of the transaction; on SQLite, where one transaction writes at a time, it is
 * the time, or one more than the last position, so that a table that was emptied does not begin anew.
 */
export function positionSql(manager: EntityManager, table: string): string {
  return manager.connection.options.type === 'postgres'
    ? 'pg_current_xact_id()::text::bigint'
    : `(SELECT max(coalesce(max(position), 0) + 1, ${clock.now()}) FROM ${table})`;
}

/**
 * Reads a table's new rows, whatever any clock says and however long a transaction took to commit. Rows
 * may come more than once, but every committed row comes.
 */
export class CommitOrder<T extends ObjectLiteral> {
  /** Every transaction with a lower position was over when rows were last read. */
  private from = 0;

  constructor(
    private readonly rows: Repository<T>,
    private readonly table: string,
  ) {}

  /** Reads the rows that were committed since the last call; all rows at first and after a failure. */
  async next(): Promise<T[]> {
    const { from } = this;
    this.from = 0;
    const horizon = await this.horizon();
    const rows = await this.rows
      .createQueryBuilder('one')
      // Older versions of Latchkey write 0. A lower horizon means that the database was replaced.
      .where('one.position >= :from OR one.position = 0', { from: horizon < from ? 0 : from })
      .getMany();
    this.from = horizon;
    return rows;
  }

  /** The lowest position that a transaction under way, or one to come, may have. */
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
