import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { connect, type FreshDatabase, freshDatabase } from './databases.js';
import { processes, type ServerProcess } from './server-process.js';

/** A fresh database, and processes of the built program that share it. */
export interface Instances {
  database: FreshDatabase;
  /** The test's own connection to the database. */
  dataSource: DataSource;
  /** The folder in which all instances run. */
  cwd: string;
  /** Starts an instance with `env`. */
  start(env: Record<string, string>): ServerProcess;
  /** Kills all instances, and removes the database and the folder. */
  end(): Promise<void>;
}

/** Makes a fresh database without tables, and starts no instance yet. */
export async function freshInstances(): Promise<Instances> {
  const server = processes();
  const database = await freshDatabase();
  const cwd = await mkdtemp(join(tmpdir(), 'latchkey-cwd-'));
  const dataSource = await connect(database.url);
  return {
    database,
    dataSource,
    cwd,
    start: (env) => server.start(cwd, env),
    end: async () => {
      await server.killAll();
      await dataSource.destroy();
      await database.drop();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}
