import 'reflect-metadata';
import { copyCommand } from './copy-command.js';
import { run } from './run.js';

await run(copyCommand());
