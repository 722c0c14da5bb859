import type { Tables } from '../database/tables.js';
import { Factors1764100000003 } from './1764100000003-factors.js';
import { ChallengeBrowsers1764100000011 } from './1764100000011-challenge-browsers.js';
import { RecoveryCode } from './recovery-code.entity.js';
import { SignInChallenge } from './sign-in-challenge.entity.js';

/** The tables of this room, and the migrations that make them. */
export const factorsTables: Tables = {
  entities: [SignInChallenge, RecoveryCode],
  migrations: [Factors1764100000003, ChallengeBrowsers1764100000011],
};
