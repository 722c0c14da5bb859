import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { DataSource } from 'typeorm';
import { databaseOptions, sqlitePath } from '../database/database.options.js';
import { NO_TABLES } from '../database/tables.js';

/**
 * Writes a consistent copy of a SQLite database to a new file, while servers run on the database. The file
 * appears when it is complete, checked and on the disk.
 *
 * @returns the size of the file in bytes
 * @throws Error with a sentence, if the copy cannot be made
 */
export async function backUp(url: string, file: string): Promise<number> {
  const path = sqlitePath(url);
  if (path === undefined) {
    throw new Error(
      'This command is for SQLite. For PostgreSQL use pg_dump: see docs/operations.md',
    );
  }
  if (!existsSync(path)) throw new Error(`There is no database ${path}`);
  if (existsSync(file)) throw new Error(`${file} already exists: name a new file`);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const database = await new DataSource(databaseOptions(url, NO_TABLES)).initialize();
  try {
    await database.query('VACUUM INTO $1', [draft]);
    await database.query('ATTACH $1 AS backup', [draft]);
    const [result] = await database.query<{ integrity_check: string }[]>(
      'PRAGMA backup.integrity_check',
    );
    if (result?.integrity_check !== 'ok') throw new Error(`${path} is damaged`);
    // An empty database is intact as well. A wrong path must not pass for a backup.
    const tables = await database.query<unknown[]>(
      "SELECT name FROM backup.sqlite_master WHERE name = 'users'",
    );
    if (tables.length === 0) throw new Error(`${path} has no tables of Latchkey`);
    await database.query('DETACH backup');
    await flush(draft);
    await rename(draft, file);
    return (await stat(file)).size;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await database.destroy();
  }
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
