import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { connect, type FreshDatabase, freshDatabase } from './databases.js';
import { processes, type ServerProcess } from './server-process.js';

/** The addresses of localhost that this machine has. */
export const localhosts = [
  '127.0.0.1',
  ...(Object.values(networkInterfaces()).some((at) => at?.some((own) => own.address === '::1'))
    ? ['[::1]']
    : []),
];

/** A fresh database and a folder, and processes of the built program that run there. */
export interface Machine {
  database: FreshDatabase;
  /** The folder in which all processes run. */
  cwd: string;
  /** Starts a server with `env`. */
  start(env: Record<string, string>): ServerProcess;
  /** Kills all servers, and removes the database and the folder. */
  end(): Promise<void>;
}

/** Makes a fresh database without tables, and starts no server yet. */
export async function freshMachine(): Promise<Machine> {
  const servers = processes();
  const database = await freshDatabase();
  const cwd = await mkdtemp(join(tmpdir(), 'latchkey-cwd-'));
  return {
    database,
    cwd,
    start: (env) => servers.start(cwd, env),
    end: async () => {
      await servers.killAll();
      await database.drop();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/** Processes that share a database, and the test's own connection to it. */
export interface Instances extends Machine {
  dataSource: DataSource;
}

/** Makes a fresh database without tables and connects to it, and starts no instance yet. */
export async function freshInstances(): Promise<Instances> {
  const machine = await freshMachine();
  const dataSource = await connect(machine.database.url);
  const end = async () => {
    await dataSource.destroy();
    await machine.end();
  };
  return { ...machine, dataSource, end };
}
