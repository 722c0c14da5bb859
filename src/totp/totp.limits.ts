import { signedInUser } from '../auth/limit-keys.js';

/** How often a user may begin to add an app. */
export const ENROL_LIMIT = { name: 'enrolTotp', limit: '20/1h', by: signedInUser };

/** How often a user may try to confirm a new app. */
export const CONFIRM_LIMIT = { name: 'confirmTotp', limit: '30/15m', by: signedInUser };
