import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { expectSupportedNode } from './node-version.js';

expectSupportedNode();

/**
 * Keeps the compiled scripts for the next start, if this Node can (22.8 and later). The folder belongs to the
 * project: another user of the machine could plant code in the system's temporary folder.
 */
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)));

// Imported late: an older Node would fail at the imports of libraries, with an obscure message.
await import('./server.js');
