import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/**
 * Compiles only where a source is newer than what was compiled, so that a server that runs from
 * `dist/` is not disturbed; wherever it is called from. What the compiler says goes to the standard
 * error. Ends the process where it fails.
 */
export function buildIfNewer() {
  if (!existsSync(path('src'))) return;
  const changed = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(path('src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...sources.map((file) => changed(path(`src/${file}`))));
  if (newest <= changed(path('dist/src/main.js'))) return;
  const { status } = spawnSync(
    process.execPath,
    [path('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: root, stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) process.exit(status ?? 1);
  cpSync(path('templates'), path('dist/templates'), { recursive: true });
}
