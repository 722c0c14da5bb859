import type { Command } from 'commander';
import { latchkey } from './app.module.js';
import { AuditChainModule } from './audit-chain/audit-chain.module.js';
import { program } from './operations/program.js';
import { tablesWith } from './tables.js';

/** Returns `latchkey …` for this application. */
export const commands = (): Command =>
  program({ tables: tablesWith(latchkey), modules: [AuditChainModule] });
