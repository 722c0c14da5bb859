import { auditTables } from './audit/audit.tables.js';
import { auditChainTables } from './audit-chain/audit-chain.tables.js';
import { Initial1764100000000 } from './database/migrations/1764100000000-initial.js';
import { joinTables, type Tables } from './database/tables.js';
import { factorsTables } from './factors/factors.tables.js';
import { mailSignInTables } from './mail-sign-in/mail-sign-in.tables.js';
import { mailTables } from './mail/mail.tables.js';
import { mailedLinksTables } from './mailed-links/mailed-links.tables.js';
import { pagesTables } from './pages/pages.tables.js';
import { passkeysTables } from './passkeys/passkeys.tables.js';
import { passwordsTables } from './passwords/passwords.tables.js';
import { sessionsTables } from './sessions/sessions.tables.js';
import { totpTables } from './totp/totp.tables.js';
import { usersTables } from './users/users.tables.js';
import { webhooksTables } from './webhooks/webhooks.tables.js';

/** The tables of every room of Latchkey. */
const rooms = [
  { migrations: [Initial1764100000000] },
  usersTables,
  passwordsTables,
  sessionsTables,
  mailTables,
  mailedLinksTables,
  auditTables,
  auditChainTables,
  webhooksTables,
  factorsTables,
  totpTables,
  passkeysTables,
  mailSignInTables,
  pagesTables,
];

/** Returns all tables: those of Latchkey, and those of the project. */
export const tablesWith = (own: Partial<Tables>): Tables => joinTables([...rooms, own]);
