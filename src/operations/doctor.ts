import 'reflect-metadata';
import { doctorCommand } from './doctor-command.js';
import { run } from './run.js';

await run(doctorCommand());
