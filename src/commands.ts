import type { Command } from 'commander';
import { latchkey } from './app.module.js';
import { AuditChainModule } from './audit-chain/audit-chain.module.js';
import { program } from './operations/program.js';
import { tablesWith } from './tables.js';

/** The modules of capabilities that take part in each change of a command. */
const modules = [
  // A capability adds its line here.
  AuditChainModule,
];

/** Returns `latchkey …` for this application. */
export const commands = (): Command => program({ tables: tablesWith(latchkey), modules });
