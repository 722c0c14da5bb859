import type { Tables } from '../database/tables.js';
import { Factors1764100000003 } from './1764100000003-factors.js';
import { RecoveryCode } from './recovery-code.entity.js';
import { SignInChallenge } from './sign-in-challenge.entity.js';

/** The tables of this room, and the migration that makes them. */
export const factorsTables: Tables = {
  entities: [SignInChallenge, RecoveryCode],
  migrations: [Factors1764100000003],
};
