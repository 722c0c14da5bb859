import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './cluster.js';
import { accepts } from './wait.js';

/** A PgBouncer before PostgreSQL. */
export type PgBouncer = Awaited<ReturnType<typeof startPgBouncer>>;

/** PgBouncer's program; undefined if it is not installed. */
export const pgBouncerProgram = process.env.TEST_PGBOUNCER;

/**
 * Starts PgBouncer before the server of `databaseUrl`. Everything but `poolMode` and the ways in is left at
 * its default.
 */
export async function startPgBouncer(databaseUrl: string, poolMode: 'session' | 'transaction') {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-pgbouncer-'));
  const { hostname, port: serverPort, username, password } = new URL(databaseUrl);
  const port = await freePort();
  const users = join(dir, 'users.txt');
  await writeFile(users, `"${username}" "${password}"\n`);
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${serverPort || '5432'}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${users}`,
    `pool_mode = ${poolMode}`,
  ];
  const file = join(dir, 'pgbouncer.ini');
  await writeFile(file, settings.join('\n'));
  // PgBouncer does not run as root.
  const idOf = (what: string) => Number(execFileSync('id', [what, 'postgres']));
  const owner = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
  for (const path of owner ? [dir, users, file] : []) {
    await chown(path, owner?.uid ?? 0, owner?.gid ?? 0);
  }
  const child: ChildProcess = spawn(pgBouncerProgram ?? '', [file], {
    ...owner,
    stdio: 'ignore',
    env: { PATH: process.env.PATH },
  });
  const exit = once(child, 'close');
  await accepts(port);
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    async stop() {
      child.kill('SIGKILL');
      await exit;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
