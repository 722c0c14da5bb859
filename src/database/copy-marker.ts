import type { DataSource, QueryRunner } from 'typeorm';
import { tableNames } from './migration-state.js';

/** Stands in a database while it is copied into; a server refuses to start on one that has it. */
export const MARKER_TABLE = 'latchkey_copy';

/**
 * How far a copy has come: the tables before `table` are whole, and of `table` the rows up to the key
 * `after` are there. Without a table nothing is.
 */
export interface Position {
  table?: string;
  /** The key of the last row, a text for each of its columns. */
  after?: string[];
}

/** The position of the copy into a database, undefined where there is none under way. */
export async function copyPosition(target: QueryRunner): Promise<Position | undefined> {
  if (!(await tableNames(target)).includes(MARKER_TABLE)) return undefined;
  const [row] = (await target.query(`SELECT position FROM ${MARKER_TABLE}`)) as {
    position: string;
  }[];
  return row && (JSON.parse(row.position) as Position);
}

/** Marks a database as being copied into. Fails where another copy has just done so. */
export async function placeMarker(target: QueryRunner): Promise<Position> {
  const position: Position = {};
  await target.startTransaction();
  await target.query(`CREATE TABLE ${MARKER_TABLE} (position text NOT NULL)`);
  await target.query(`INSERT INTO ${MARKER_TABLE} (position) VALUES ($1)`, [
    JSON.stringify(position),
  ]);
  await target.commitTransaction();
  return position;
}

/**
 * Moves the marker on, in the transaction that wrote the rows in between.
 *
 * @returns false where it was not at `from`: another copy is at work, and the transaction must not be
 *   committed
 */
export async function moveMarker(
  target: QueryRunner,
  from: Position,
  to: Position,
): Promise<boolean> {
  const { affected } = await target.query(
    `UPDATE ${MARKER_TABLE} SET position = $1 WHERE position = $2`,
    [JSON.stringify(to), JSON.stringify(from)],
    true,
  );
  return affected === 1;
}

/** Takes the mark away: the copy is whole. */
export async function removeMarker(target: QueryRunner): Promise<void> {
  await target.query(`DROP TABLE ${MARKER_TABLE}`);
}

/** @throws Error where a copy into the database was begun and has not ended well */
export async function refuseUnfinishedCopy(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await tableNames(runner)).includes(MARKER_TABLE)) return;
    throw new Error('The database holds an unfinished copy: run npx latchkey db copy again');
  } finally {
    await runner.release();
  }
}
