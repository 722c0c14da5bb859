import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { sqlitePath } from '../database/database.options.js';
import { fail, type Finding, ok, warn } from '../common/finding.js';

/**
 * Checks that other users cannot read files with secrets, and that this user can write the server's files.
 */
export function checkFiles(config: Config, env: Record<string, string | undefined>): Finding[] {
  const check = 'files';
  if (process.platform === 'win32') {
    const message = 'not checked, because Windows has other file permissions';
    return [warn(check, message, 'let only the server’s user read DATA_DIR and .env')];
  }
  const { dataDir, databaseUrl } = config;
  const found: Finding[] = [];
  const database = [sqlitePath(databaseUrl)].filter((path) => path !== undefined);
  const files = [
    '.env',
    join(dataDir, 'jwt-secret'),
    join(dataDir, 'bootstrap-admin'),
    ...database.flatMap((path) => [path, `${path}-wal`, `${path}-shm`]),
    ...[env.JWT_PRIVATE_KEY ?? ''].filter((key) => !key.includes('-----BEGIN')),
  ];
  const closed = modeOf(dataDir) !== undefined && !((modeOf(dataDir) ?? 0) & 0o007);
  const seen = (path: string) => !(closed && isInside(path, dataDir));
  for (const path of [dataDir, ...files.filter(seen)]) {
    const mode = modeOf(path);
    if (mode === undefined || !(mode & 0o077)) continue;
    const who = mode & 0o007 ? 'every user of this machine' : 'its group';
    const judge = mode & 0o007 ? fail : warn;
    found.push(judge(check, `${path} is open to ${who}`, `chmod go= ${path}`));
  }
  for (const path of [dataDir, ...database.map((file) => dirname(file))]) {
    if (existsSync(path) && !isWritable(path)) {
      found.push(
        fail(check, `${path} cannot be written by this user`, `make the server's user its owner`),
      );
    }
  }
  return found.length > 0
    ? found
    : [ok(check, `${dataDir} and other secrets are readable by their owner only`)];
}

function modeOf(path: string): number | undefined {
  return path ? statSync(path, { throwIfNoEntry: false })?.mode : undefined;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== '' && !way.startsWith('..');
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
