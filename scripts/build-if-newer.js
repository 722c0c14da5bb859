import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compiledName, isSource } from './sources.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Returns when a file was last changed; 0 if it does not exist. */
const changed = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The files below a folder of the project. */
const filesOf = (folder) =>
  readdirSync(path(folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((file) => statSync(path(file)).isFile());

/** Whether a file is newer than its compiled file. */
const isNewer = (file) => changed(path(file)) > changed(path(compiledName(file)));

/** Whether a package was updated after the build has joined it; false if the build joined none. */
function isUpdated() {
  const joined = path('dist/src/bundle-packages.json');
  if (!existsSync(joined)) return false;
  return Object.entries(JSON.parse(readFileSync(joined, 'utf8'))).some(([folder, version]) => {
    const manifest = path(`dist/src/${folder}/package.json`);
    return !existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== version;
  });
}

/**
 * Compiles if a source is newer than its compiled file, or a joined package was updated, wherever it is called from.
 * Each source is compared with its own file: a server that `npm run start:dev` keeps up to date is not disturbed. The
 * compiler's messages go to the standard error. Ends the process if it fails.
 */
export function buildIfNewer() {
  if (!existsSync(path('src'))) return;
  const sources = filesOf('src').filter(isSource);
  if (sources.some(isNewer) || isUpdated()) {
    const compiler = path('node_modules/typescript-7/bin/tsc');
    for (const step of [
      [compiler, '-p', 'tsconfig.build.json'],
      [compiler, '-p', 'tsconfig.browser.json'],
      [path('scripts/bundle.js')],
    ]) {
      const { status } = spawnSync(process.execPath, step, {
        cwd: root,
        stdio: ['ignore', 2, 2],
      });
      if (status !== 0) process.exit(status ?? 1);
    }
  }
  if (filesOf('templates').some(isNewer)) {
    cpSync(path('templates'), path('dist/templates'), { recursive: true });
  }
}
