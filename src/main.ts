import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { expectSupportedNode } from './node-version.js';

expectSupportedNode();

/**
 * Keeps the compiled scripts for the next start, if this Node can (22.8 and later). The folder belongs to the
 * project: another user of the machine could plant code in one below the system's temporary folder.
 */
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)));

// Imported only now: an older Node fails at the imports of the libraries, with a riddle.
await import('./server.js');
