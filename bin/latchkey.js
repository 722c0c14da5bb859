#!/usr/bin/env node
/** `npx latchkey …`: the command line, compiled before where a source is newer. */
import { buildIfNewer } from '../scripts/build-if-newer.js';
import { expectSupportedNode } from '../src/node-version.js';

expectSupportedNode();
buildIfNewer();
await import('../dist/src/latchkey.js');
