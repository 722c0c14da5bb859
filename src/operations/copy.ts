import { existsSync } from 'node:fs';
import { DataSource, type QueryRunner } from 'typeorm';
import { copyPosition, MARKER_TABLE, moveMarker, placeMarker } from '../database/copy-marker.js';
import { type CopyPosition, removeMarker } from '../database/copy-marker.js';
import { databaseOptions, sqlitePath, withoutTimeouts } from '../database/database.options.js';
import { migrate } from '../database/migrate.js';
import {
  MIGRATIONS_TABLE,
  migrationState,
  refuseEarlierDatabase,
  tableNames,
} from '../database/migration-state.js';
import type { Tables } from '../database/tables.js';
import { batches, Checksum, clearTable, continueCounting, countRows } from './table-rows.js';
import { insertRows, keyOf } from './table-rows.js';
import { CopyError, type TableShape, tableShapes } from './table-shape.js';
import { beginSnapshot } from '../database/transactions.js';

/** The source and the target, in the form of `DATABASE_URL`. */
export interface CopyOptions {
  from: string;
  to: string;
  /** The tables of the application. */
  tables: Tables;
  /** Whether to drop the rows that a broken copy left in the target, instead of continuing it. */
  restart?: boolean;
  onProgress?: (progress: CopyProgress) => void;
}

/** The number of a table's rows that were copied, or read back and compared. */
export interface CopyProgress {
  phase: 'copy' | 'verify';
  table: string;
  done: number;
  total: number;
}

/** A table that is now the same in both databases. */
export interface CopiedTable {
  table: string;
  rows: number;
  /** SHA-256 of all rows, the same for both. */
  checksum: string;
}

/**
 * Copies every table into an empty database of either kind, parents first, with unchanged ids, hashes and
 * times. Then it reads both sides again and compares them. The source is read in one transaction, so the copy
 * is consistent. After an interruption the same call continues at the target's marker.
 *
 * @throws CopyError if the copy cannot be made, or the two differ at the end
 */
export async function copyDatabase(options: CopyOptions): Promise<CopiedTable[]> {
  const { from, to, restart = false, onProgress = () => undefined } = options;
  const path = sqlitePath(from);
  if (path !== undefined && !existsSync(path)) {
    throw new CopyError(`There is no database ${path}`);
  }
  const opened: DataSource[] = [];
  const connect = async (url: string) => {
    const dataSource = new DataSource(withoutTimeouts(databaseOptions(url, options.tables)));
    opened.push(await dataSource.initialize());
    return dataSource.createQueryRunner();
  };
  try {
    const source = await connect(from);
    await beginSnapshot(source);
    await checkSource(source);
    const target = await connect(to);
    let position = await prepareTarget(target, restart);
    const shapes = await commonShapes(source, target, position);
    const begun = shapes.findIndex(({ name }) => name === position.table);
    for (const shape of shapes.slice(Math.max(begun, 0))) {
      position = await copyTable(source, target, shape, position, onProgress);
    }
    const copied: CopiedTable[] = [];
    for (const shape of shapes) copied.push(await verify(source, target, shape, onProgress));
    for (const shape of shapes) await continueCounting(target, shape);
    await removeMarker(target);
    return copied;
  } finally {
    for (const dataSource of opened) await dataSource.destroy();
  }
}

async function checkSource(source: QueryRunner): Promise<void> {
  await refuseEarlierDatabase(source);
  const { behind, ahead } = await migrationState(source);
  if (ahead.length > 0) {
    throw new CopyError(`The source was made by a newer Latchkey: it has ${ahead.join(', ')}`);
  }
  if (behind.length > 0) {
    const missing = behind.join(', ');
    throw new CopyError(
      `The source lacks migrations (${missing}): start this version of Latchkey on it once`,
    );
  }
  if (await copyPosition(source)) throw new CopyError('The source is itself an unfinished copy');
}

/** Prepares the target: migrated, marked, and without rows, except those of an interrupted copy. */
async function prepareTarget(target: QueryRunner, restart: boolean): Promise<CopyPosition> {
  await refuseEarlierDatabase(target);
  const { ahead } = await migrationState(target);
  if (ahead.length > 0) {
    throw new CopyError(`The target was made by a newer Latchkey: it has ${ahead.join(', ')}`);
  }
  let position = await copyPosition(target);
  if (!position) {
    for (const table of await ownTables(target)) {
      if ((await countRows(target, table)) > 0) {
        throw new CopyError(`The target is not empty: table ${table} has rows`);
      }
    }
    position = await placeMarker(target);
  }
  if (restart || !position.table) {
    await migrate(target.connection);
    // An abandoned copy left rows, and a migration may have made some.
    const shapes = await tableShapes(target, await ownTables(target));
    await step(target, position, {}, async () => {
      for (const { name } of shapes.reverse()) await clearTable(target, name);
    });
    return {};
  }
  return position;
}

/**
 * Runs `work` and moves the marker on, in one transaction.
 *
 * @throws CopyError if the marker has moved already
 */
async function step(
  target: QueryRunner,
  from: CopyPosition,
  to: CopyPosition,
  work: () => Promise<void>,
): Promise<void> {
  await target.startTransaction();
  try {
    if (!(await moveMarker(target, from, to))) {
      throw new CopyError('Another copy into the target is running');
    }
    await work();
    await target.commitTransaction();
  } catch (error) {
    await target.rollbackTransaction();
    throw error;
  }
}

async function ownTables(runner: QueryRunner): Promise<string[]> {
  const names = await tableNames(runner);
  return names.filter((name) => name !== MARKER_TABLE && name !== MIGRATIONS_TABLE);
}

/**
 * Returns the tables, in the order of writing.
 *
 * @throws CopyError if the two databases have different tables
 */
async function commonShapes(
  source: QueryRunner,
  target: QueryRunner,
  position: CopyPosition,
): Promise<TableShape[]> {
  try {
    const shapes = await tableShapes(target, await ownTables(target));
    const there = await tableShapes(source, await ownTables(source));
    for (const shape of [...there, ...shapes]) {
      const columns = (of: TableShape[]) =>
        of
          .find(({ name }) => name === shape.name)
          ?.columns.map(({ name, kind }) => `${name} ${kind}`)
          .sort()
          .join();
      if (columns(there) !== columns(shapes)) {
        throw new CopyError(
          `Table ${shape.name} has other columns in the source than in the target`,
        );
      }
    }
    return shapes;
  } catch (error) {
    // No row was copied, so the target is left as it was found.
    if (!position.table) await removeMarker(target);
    throw error;
  }
}

async function copyTable(
  source: QueryRunner,
  target: QueryRunner,
  shape: TableShape,
  begin: CopyPosition,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyPosition> {
  const { name: table, key } = shape;
  const after = begin.table === table ? begin.after : undefined;
  const total = await countRows(source, table);
  let done = after ? await countRows(target, table) : 0;
  let position = begin;
  onProgress({ phase: 'copy', table, done, total });
  for await (const rows of batches(source, shape, after)) {
    const next = { table, after: keyOf(rows, key) };
    await step(target, position, next, () => insertRows(target, shape, rows));
    position = next;
    done += rows.length;
    onProgress({ phase: 'copy', table, done, total });
  }
  return position;
}

/**
 * Compares the rows of both databases.
 *
 * @throws CopyError if they differ
 */
async function verify(
  source: QueryRunner,
  target: QueryRunner,
  shape: TableShape,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopiedTable> {
  const table = shape.name;
  const total = await countRows(source, table);
  const [there, here] = await Promise.all(
    [source, target].map(async (reader) => {
      const checksum = new Checksum(shape.columns.map(({ name }) => name));
      for await (const rows of batches(reader, shape)) {
        checksum.add(rows);
        const done = checksum.rows;
        if (reader === target) onProgress({ phase: 'verify', table, done, total });
      }
      return checksum;
    }),
  );
  if (there?.hex !== here?.hex || there?.rows !== here?.rows) {
    const counts = `${there?.rows} rows in the source, ${here?.rows} in the target`;
    throw new CopyError(
      `Table ${table} differs (${counts}): stop all programs that write to either database, and copy again ` +
        'with --restart',
    );
  }
  return { table, rows: here?.rows ?? 0, checksum: here?.hex ?? '' };
}
