import type { Tables } from '../database/tables.js';
import { Passkeys1764100000005 } from './1764100000005-passkeys.js';
import { Passkey } from './passkey.entity.js';
import { checkPasskeys } from './passkeys-check.js';
import { WebauthnChallenge } from './webauthn-challenge.entity.js';
import { WebauthnHandle } from './webauthn-handle.entity.js';

/** The tables of this room, the migration that makes them, and the doctor's check of their rows. */
export const passkeysTables: Tables = {
  entities: [Passkey, WebauthnHandle, WebauthnChallenge],
  migrations: [Passkeys1764100000005],
  checks: [checkPasskeys],
};
