import 'reflect-metadata';
import { auditVerifyCommand } from './audit-verify-command.js';
import { run } from './run.js';

await run(auditVerifyCommand());
