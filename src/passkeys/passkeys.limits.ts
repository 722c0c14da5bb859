import { signedInUser } from '../auth/limit-keys.js';

/** Counts the changes of a user's passkeys, and the attempts, together. */
export const PASSKEYS_LIMIT = { name: 'passkeys', limit: '60/1h', by: signedInUser };
