import type { Command } from 'commander';
import { AppModule, latchkey } from './app.module.js';
import { AuditChainModule } from './audit-chain/audit-chain.module.js';
import { AuditModule } from './audit/audit.module.js';
import { MailModule } from './mail/mail.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';
import { program } from './operations/program.js';
import { tablesWith } from './tables.js';

/**
 * The modules that take part in each change of a command. They end sessions, record the change and publish
 * it.
 */
const modules = [
  SessionsModule,
  AuditModule,
  MailModule,
  // A capability adds its line here.
  AuditChainModule,
  WebhooksModule,
];

/** Returns `latchkey …` for this application. */
export const commands = (): Command =>
  program({ tables: tablesWith(latchkey), modules, application: AppModule });
