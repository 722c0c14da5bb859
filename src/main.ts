import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { startWithSmallHeap } from './common/heap.js';
import { expectSupportedNode } from './node-version.js';

expectSupportedNode();

startWithSmallHeap();

// Only this user may read and write the server's files, above all the database and the compiled scripts.
process.umask(0o077);

/**
 * Keeps the compiled scripts for the next start, if this Node can (22.8 and later). The folder belongs to the
 * project, and to the same user as the libraries beside it: another user of the machine could plant code in the
 * system's temporary folder. If the folder is read-only, Node compiles at each start.
 */
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)));

// Loaded late: an older Node would fail at the imports of libraries, with an obscure message. `require` reads the
// modules one after another, and takes a tenth less of a start than `import()`.
try {
  module.createRequire(import.meta.url)('./server.js');
} catch (error) {
  // A module of the project, or a package of its own, has an `await` outside of functions. No module has run yet.
  if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
  await import('./server.js');
}
