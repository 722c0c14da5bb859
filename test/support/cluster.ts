import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** A PostgreSQL server of a test's own, that may be stopped. */
export type Cluster = Awaited<ReturnType<typeof startCluster>>;

/** Where PostgreSQL's programs are; undefined where they are not installed. */
export const postgresPrograms = process.env.TEST_POSTGRES_BIN;

/**
 * Makes and starts a server on a free port, for programs that connect to 127.0.0.1 or localhost.
 * `prepare` puts files that it needs into its folder and gives the settings that name them.
 */
export async function startCluster(prepare: (dir: string) => string[] = () => []) {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-cluster-'));
  // PostgreSQL does not run as root.
  const idOf = async (what: string) => Number((await exec('id', [what, 'postgres'])).stdout);
  const owner =
    process.getuid?.() === 0 ? { uid: await idOf('-u'), gid: await idOf('-g') } : undefined;
  const options = prepare(dir);
  for (const path of owner ? ['', ...(await readdir(dir))] : []) {
    await chown(join(dir, path), owner?.uid ?? 0, owner?.gid ?? 0);
  }
  const run = (program: string, ...args: string[]) =>
    exec(join(postgresPrograms ?? '', program), args, {
      ...owner,
      cwd: dir,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
  const data = join(dir, 'data');
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres');
  const port = await freePort();
  const settings = [`port=${port}`, `unix_socket_directories=${dir}`, ...options];
  const flags = settings.map((setting) => `-c ${setting}`).join(' ');
  const control = (...args: string[]) => run('pg_ctl', ...args, '-w', '-s', '-D', data);
  const start = () => control('start', '-l', join(dir, 'log'), '-o', flags);
  const stop = (mode: 'fast' | 'immediate') => control('stop', '-m', mode);
  await start();
  return {
    port,
    dir,
    owner,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start,
    /** Stops it: `fast` as an administrator does, `immediate` as a power cut. */
    stop,
    /** Ends it for good. */
    async remove() {
      await stop('immediate').catch(() => undefined);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A port that no program listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
