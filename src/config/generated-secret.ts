import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync } from 'node:fs';
import { unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTextFile } from '../common/text-file.js';

/**
 * The secret kept in `dataDir`, made on the first start.
 *
 * @returns the secret, the file's path, and whether this call made it
 */
export function generatedSecret(dataDir: string): {
  secret: string;
  path: string;
  created: boolean;
} {
  const path = join(dataDir, 'jwt-secret');
  const { text, created } = readOrCreate(path, () => randomBytes(64).toString('base64url'));
  return { secret: text, path, created };
}

/**
 * Returns the text of a file with a secret in it (mode 0600). Makes the file if it does not exist. Two first
 * starts at the same time agree on one secret: the file appears complete or not at all, and only the first to
 * link it wins.
 */
export function readOrCreate(path: string, make: () => string): { text: string; created: boolean } {
  const existing = read(path);
  if (existing) return { text: existing, created: false };

  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeSync(fd, `${make()}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  let created = true;
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    created = false;
  } finally {
    unlinkSync(draft);
  }
  const text = read(path);
  if (!text) throw new Error(`${path} is empty: remove it, and the next start makes a new one`);
  return { text, created };
}

/** Returns the result of {@link generatedSecret}, but writes no file: a new secret is lost afterwards. */
export function previewSecret(dataDir: string): ReturnType<typeof generatedSecret> {
  const path = join(dataDir, 'jwt-secret');
  const existing = read(path);
  return { secret: existing || randomBytes(64).toString('base64url'), path, created: !existing };
}

function read(path: string): string | undefined {
  try {
    return readTextFile(path).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
