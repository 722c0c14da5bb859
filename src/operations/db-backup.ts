import 'reflect-metadata';
import { backupCommand } from './backup-command.js';
import { run } from './run.js';

await run(backupCommand());
