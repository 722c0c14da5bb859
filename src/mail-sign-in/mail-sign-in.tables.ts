import type { Tables } from '../database/tables.js';
import { MailSignIn1764100000006 } from './1764100000006-mail-sign-in.js';
import { MailChallenge } from './mail-challenge.entity.js';

/** The table of this room, and the migration that makes it. */
export const mailSignInTables: Tables = {
  entities: [MailChallenge],
  migrations: [MailSignIn1764100000006],
};
