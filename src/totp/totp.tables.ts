import type { Tables } from '../database/tables.js';
import { Totp1764100000004 } from './1764100000004-totp.js';
import { TotpFactor } from './totp-factor.entity.js';

/** The table of this room, and the migration that makes it. */
export const totpTables: Tables = {
  entities: [TotpFactor],
  migrations: [Totp1764100000004],
};
