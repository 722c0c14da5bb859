import { namedByAddress } from '../users/nameless.js';
import type { ReadRecord } from './user-record.js';

const NO_NAMES = 'accounts have none with IDENTIFIER=email';

/** Returns a record as `IDENTIFIER=email` takes it: the address stands for the name. */
export function withoutUsername(read: ReadRecord): ReadRecord {
  if (!read.ok) return read;
  const { user, notes } = read;
  const { email, emailKey } = user;
  if (email === null || emailKey === null) {
    return { ok: false, reason: `There is no email, and a username is not enough: ${NO_NAMES}` };
  }
  const hadName = user.derivedFrom === undefined;
  return {
    ok: true,
    user: { ...user, ...namedByAddress({ email, emailKey }), derivedFrom: undefined },
    notes: hadName ? [...notes, `The username is left out: ${NO_NAMES}`] : notes,
  };
}
