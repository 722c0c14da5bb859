import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { latchkey } from '../../src/app.module.js';
import { databaseOptions } from '../../src/database/database.options.js';
import { tablesWith } from '../../src/tables.js';
import { onServer } from './on-server.js';

declare global {
  var E2E_DATABASE: 'sqlite' | 'postgres';
}

/** Which database the present test file runs on. */
export const databaseKind = () => globalThis.E2E_DATABASE;

/** Declares a test that only PostgreSQL can pass. */
export const onPostgres = (...test: Parameters<typeof it>) => {
  if (databaseKind() === 'postgres') it(...test);
};

/** A fresh database and the folder for other files; `drop` removes both. */
export interface FreshDatabase {
  url: string;
  dataDir: string;
  drop(): Promise<void>;
}

/** Connects to a database, as a program beside the server does. The caller destroys the connection. */
export const connect = (url: string): Promise<DataSource> =>
  new DataSource(databaseOptions(url, tablesWith(latchkey))).initialize();

/** Does `work` on a connection of its own. */
export async function onDatabase<T>(
  url: string,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await connect(url);
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/**
 * An empty database. With `migrated`, its migrations are run already: it is a copy, which saves a third of a
 * server's start.
 */
export async function freshDatabase({ migrated = false } = {}): Promise<FreshDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  if (databaseKind() === 'sqlite') {
    const file = join(dataDir, 'test.sqlite');
    if (migrated) await copyFile(process.env.TEST_SQLITE_TEMPLATE ?? '', file);
    return { url: `sqlite:${file}`, dataDir, drop: removeDir };
  }
  const server = process.env.TEST_DATABASE_URL ?? '';
  const name = `latchkey_${randomBytes(8).toString('hex')}`;
  const template = migrated ? ` TEMPLATE ${process.env.TEST_TEMPLATE ?? ''}` : '';
  await onServer(server, `CREATE DATABASE ${name}${template} ${process.env.TEST_COPY ?? ''}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    dataDir,
    drop: async () => {
      await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await removeDir();
    },
  };
}
