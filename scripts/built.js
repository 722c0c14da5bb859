/** `node scripts/built.js src/cli/doctor.js …`: runs a compiled program with the arguments. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildIfNewer } from './build-if-newer.js';

buildIfNewer();
const [program = '', ...args] = process.argv.slice(2);
const file = fileURLToPath(new URL(`../dist/${program}`, import.meta.url));
const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' });
process.exitCode = status ?? 1;
