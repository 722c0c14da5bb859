import 'reflect-metadata';
import { commands } from './commands.js';
import { run } from './operations/run.js';

await run(commands());
