import type { DataSource, QueryRunner } from 'typeorm';
import { tableNames } from './migration-state.js';

/** The table that marks a database as the target of an unfinished copy. A server refuses to start on it. */
export const MARKER_TABLE = 'latchkey_copy';

/**
 * The progress of a copy: the tables before `table` are complete, and `table` has the rows up to the key
 * `after`. Without a table, no rows were copied.
 */
export interface CopyPosition {
  table?: string;
  /** The key of the last row, as a text for each of its columns. */
  after?: string[];
}

/** Returns the position of a copy into a database; undefined if no copy is unfinished. */
export async function copyPosition(target: QueryRunner): Promise<CopyPosition | undefined> {
  if (!(await tableNames(target)).includes(MARKER_TABLE)) return undefined;
  const [row] = (await target.query(`SELECT position FROM ${MARKER_TABLE}`)) as {
    position: string;
  }[];
  return row && (JSON.parse(row.position) as CopyPosition);
}

/** Marks a database as the target of a copy. Fails if another copy has just done so. */
export async function placeMarker(target: QueryRunner): Promise<CopyPosition> {
  const position: CopyPosition = {};
  await target.startTransaction();
  await target.query(`CREATE TABLE ${MARKER_TABLE} (position text NOT NULL)`);
  await target.query(`INSERT INTO ${MARKER_TABLE} (position) VALUES ($1)`, [
    JSON.stringify(position),
  ]);
  await target.commitTransaction();
  return position;
}

/**
 * Moves the marker, in the transaction that wrote the rows in between.
 *
 * @returns false if the marker was not at `from`: another copy is running, and the caller must roll back
 */
export async function moveMarker(
  target: QueryRunner,
  from: CopyPosition,
  to: CopyPosition,
): Promise<boolean> {
  const { affected } = await target.query(
    `UPDATE ${MARKER_TABLE} SET position = $1 WHERE position = $2`,
    [JSON.stringify(to), JSON.stringify(from)],
    true,
  );
  return affected === 1;
}

/** Removes the marker: the copy is complete. */
export async function removeMarker(target: QueryRunner): Promise<void> {
  await target.query(`DROP TABLE ${MARKER_TABLE}`);
}

/**
 * Refuses a database that is the target of an unfinished copy.
 *
 * @throws Error
 */
export async function refuseUnfinishedCopy(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await tableNames(runner)).includes(MARKER_TABLE)) return;
    throw new Error('The database holds an unfinished copy: run npx latchkey db copy again');
  } finally {
    await runner.release();
  }
}
