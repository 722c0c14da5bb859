import 'reflect-metadata';
import { program } from './program.js';
import { run } from './run.js';

await run(program());
