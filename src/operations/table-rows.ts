import { createHash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { CopyError, type TableShape } from './table-shape.js';

/** A value in the form of both databases. Integers and booleans are text, so none is rounded. */
type Value = string | Buffer | null;
type Row = Record<string, Value>;

/** The number of rows that are read or written at a time. */
const ROWS_PER_BATCH = 1_000;
/** The number of values in one statement. SQLite takes 32,766. */
const MAX_VALUES = 30_000;

/** Returns a column's name, quoted for a statement. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Yields a table's rows in the order of its key, in batches, beginning after the key `after`. Each batch is a
 * statement of its own, which bounds the memory. The reader's transaction makes the batches consistent.
 */
export async function* batches(
  reader: QueryRunner,
  { name, columns, key }: TableShape,
  after?: string[],
): AsyncGenerator<Row[]> {
  const postgres = reader.connection.options.type === 'postgres';
  const asText = (column: string, kind: string) => {
    if (kind === 'boolean') return postgres ? `${column}::int::text` : `CAST(${column} AS text)`;
    return kind === 'bytes' ? column : `CAST(${column} AS text)`;
  };
  const list = columns.map(({ name: column, kind }) => {
    return `${asText(`t.${quoted(column)}`, kind)} AS ${quoted(column)}`;
  });
  const keyList = key.map((column) => `t.${quoted(column)}`).join(', ');
  const places = key.map((_column, index) => `$${index + 1}`).join(', ');
  for (let last = after; ;) {
    const rows = (await reader.query(
      `SELECT ${list.join(', ')} FROM ${quoted(name)} t
         ${last ? `WHERE (${keyList}) > (${places})` : ''} ORDER BY ${keyList} LIMIT ${ROWS_PER_BATCH}`,
      last,
    )) as Row[];
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_PER_BATCH) return;
    last = keyOf(rows, key);
  }
}

/** Returns the key of the last row. */
export function keyOf(rows: Row[], key: string[]): string[] {
  const last = rows.at(-1);
  return key.map((column) => String(last?.[column]));
}

/**
 * Writes rows as they were read.
 *
 * @throws CopyError with the table's name, if a row cannot be stored
 */
export async function insertRows(
  writer: QueryRunner,
  { name, columns }: TableShape,
  rows: Row[],
): Promise<void> {
  const list = columns.map((column) => quoted(column.name)).join(', ');
  const size = Math.floor(MAX_VALUES / columns.length);
  for (let from = 0; from < rows.length; from += size) {
    const some = rows.slice(from, from + size);
    let place = 0;
    const tuples = some.map(() => `(${columns.map(() => `$${++place}`).join(', ')})`);
    try {
      await writer.query(
        `INSERT INTO ${quoted(name)} (${list}) VALUES ${tuples.join(', ')}`,
        some.flatMap((row) => columns.map((column) => row[column.name])),
      );
    } catch (error) {
      throw new CopyError(`Table ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Returns the number of a table's rows. */
export async function countRows(reader: QueryRunner, table: string): Promise<number> {
  const [row] = (await reader.query(`SELECT count(*) AS rows FROM ${quoted(table)}`)) as {
    rows: number | string;
  }[];
  return Number(row?.rows);
}

/** Deletes every row of a table. */
export async function clearTable(writer: QueryRunner, table: string): Promise<void> {
  await writer.query(`DELETE FROM ${quoted(table)}`);
}

/** Sets PostgreSQL's sequence after the highest copied value. SQLite does so by itself. */
export async function continueCounting(
  writer: QueryRunner,
  { name, counted }: TableShape,
): Promise<void> {
  if (!counted || writer.connection.options.type !== 'postgres') return;
  await writer.query(
    `SELECT setval(pg_get_serial_sequence($1, $2), max(${quoted(counted)})) FROM ${quoted(name)}`,
    [quoted(name), counted],
  );
}

/**
 * The sum, modulo 2^256, of the SHA-256 of every row. It does not depend on the order of rows, for which two
 * databases may have different collations.
 */
export class Checksum {
  private sum = 0n;
  rows = 0;

  constructor(private readonly columns: string[]) {
    this.columns = [...columns].sort();
  }

  add(rows: Row[]): void {
    for (const row of rows) {
      const values = this.columns.map((column) => {
        const value = row[column];
        return Buffer.isBuffer(value) ? { hex: value.toString('hex') } : value;
      });
      const digest = createHash('sha256').update(JSON.stringify(values)).digest('hex');
      this.sum = BigInt.asUintN(256, this.sum + BigInt(`0x${digest}`));
    }
    this.rows += rows.length;
  }

  get hex(): string {
    return this.sum.toString(16).padStart(64, '0');
  }
}
