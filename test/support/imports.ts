import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { User } from '../../src/users/user.entity.js';
import { type CommandOptions, latchkey } from './server-cli.js';
import type { Server } from './server.js';

/** A hash of the C library, for the tests' good password. */
export const BCRYPT = '$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS';
/** The id of an imported user. */
export const ID = '0f0e0d0c-0b0a-4908-8706-050403020100';

/** For tests that run several programs, on a machine that has other work. */
export const LONG = 300_000;

let files = 0;

/** Imports `text` with a report, and returns the counts, the refused lines and the notes. */
export async function imported(
  server: Server,
  text: string | Buffer,
  kind = 'jsonl',
  options: CommandOptions = {},
  flags: string[] = [],
) {
  const path = join(server.database.dataDir, `import-${files++}`);
  await writeFile(`${path}.${kind}`, text);
  const args = ['users', 'import', `${path}.${kind}`, '--json', '--report', `${path}.report`];
  const { code, stdout, stderr } = await latchkey(server, [...args, ...flags], options);
  expect(stderr).not.toContain(BCRYPT);
  const report = await readFile(`${path}.report`, 'utf8').catch(() => '');
  const told = report
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { line: number } & ({ reason: string } | { note: string }));
  return {
    code,
    counts: stdout === '' ? undefined : (JSON.parse(stdout) as unknown),
    refused: told.flatMap((one) => ('reason' in one ? [`${one.line}: ${one.reason}`] : [])),
    notes: told.flatMap((one) => ('note' in one ? [`${one.line}: ${one.note}`] : [])),
    stderr,
  };
}

/** The lines of a JSONL file: values, or texts as they are. */
export const lines = (...records: unknown[]) =>
  records
    .map((record) => (typeof record === 'string' ? record : JSON.stringify(record)))
    .join('\n');

/** The stored user of a name in lower case. */
export const stored = (server: Server, username: string) =>
  server.withDatabase((database) => database.manager.findOneBy(User, { usernameKey: username }));
