/**
 * `npm run bench`: runs the benchmark. Its first run installs the packages that only the benchmark needs.
 */
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { expectSupportedNode } from '../src/node-version.js';

expectSupportedNode();

const run = (command) => execSync(command, { stdio: ['ignore', 2, 2] });

if (!existsSync('bench/node_modules')) run('npm ci --prefix bench --no-audit --no-fund');
run('npm run --silent build');
run('node node_modules/typescript-7/bin/tsc -p bench');
// That compiled the server's modules again, in place of those that the build had joined.
run('node scripts/bundle.js');
// The compiled benchmark finds these packages beside itself.
mkdirSync('dist/bench', { recursive: true });
if (!existsSync('dist/bench/node_modules')) {
  symlinkSync('../../bench/node_modules', 'dist/bench/node_modules');
}
await import('../dist/bench/run.js');
