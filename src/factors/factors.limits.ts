import { signedInUser } from '../auth/limit-keys.js';

/** Counts the changes of a user's factors, and the attempts, together. */
export const FACTORS_LIMIT = { name: 'factors', limit: '60/1h', by: signedInUser };

/** How often a user may make new recovery codes. */
export const RECOVERY_CODES_LIMIT = { name: 'recoveryCodes', limit: '10/1h', by: signedInUser };
