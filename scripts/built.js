/**
 * `node scripts/built.js src/cli/doctor.js …`: runs a compiled program with the arguments, and compiles
 * before it only where a source is newer, so that a server that runs from `dist/` is not disturbed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [program = '', ...args] = process.argv.slice(2);
const run = (...words) => {
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

const changed = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' });
const newest = Math.max(...sources.map((file) => changed(join('src', file))));
if (newest > changed('dist/src/main.js')) {
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
  cpSync('templates', 'dist/templates', { recursive: true });
}
run(join('dist', program), ...args);
