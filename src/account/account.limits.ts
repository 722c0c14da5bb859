import { signedInUser } from '../auth/limit-keys.js';

/** How often a user may change the name and the profile. */
export const UPDATE_LIMIT = { name: 'updateAccount', limit: '30/1h', by: signedInUser };

/** How often a user may try to change the password. */
export const PASSWORD_LIMIT = { name: 'changePassword', limit: '30/1h', by: signedInUser };

/** How often a user may export the account. */
export const EXPORT_LIMIT = { name: 'export', limit: '10/1h', by: signedInUser };
