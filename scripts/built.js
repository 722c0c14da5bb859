/**
 * `node scripts/built.js src/operations/doctor.js …`: runs a compiled program with the arguments. It runs in this
 * process, so that a signal reaches it.
 */
import { buildIfNewer } from './build-if-newer.js';
import { expectSupportedNode } from '../src/node-version.js';

expectSupportedNode();
buildIfNewer();
const [program = ''] = process.argv.splice(2, 1);
const file = new URL(`../dist/${program}`, import.meta.url);
process.argv[1] = file.pathname;
await import(file.href);
