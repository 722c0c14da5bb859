import { caseFold } from '../common/case-fold.js';
import { commonPasswords } from '../config/word-lists.js';

/** The longest password, in UTF-8 bytes of its prepared form. */
export const PASSWORD_MAX_BYTES = 1_024;

/** Why a password is refused as a new one. */
export type WeakReason =
  | 'empty'
  | 'too_long'
  | 'too_short'
  | 'invalid_characters'
  | 'common'
  | 'breached'
  | 'contains_username'
  | 'contains_email'
  | 'contains_service';

/** A refusal of a new password: the reason for programs, and a sentence. */
export interface WeakPassword {
  reason: WeakReason;
  msg: string;
}

/** A password in the form that is hashed, or why it has none. */
export type PreparedPassword =
  { ok: true; password: string } | { ok: false; refusal: WeakPassword };

/** The values that a password must not be derived from, and its least length in code points. */
export interface PasswordContext {
  username?: string;
  email?: string;
  minLength: number;
}

/** The name of this service: people put it into passwords (NIST SP 800-63B-4, section 3.1.1.2). */
const SERVICE = 'latchkey';

/** The longest run that is refused. Guessing programs try runs, but a longer one is as good as its length. */
const MAX_RUN = 16;

/** No password is shorter than 8 characters, so shorter entries would never be asked for. */
const SHORTEST = 8;

/** The common passwords, once the first new password was checked: the set takes a while and 3 MB. */
let common: Set<string> | undefined;

/**
 * Prepares a password by the PRECIS profile OpaqueString (RFC 8265, section 4.2): other blanks become a
 * space, then NFC. It refuses the empty text, controls, line separators, unassigned and private code points,
 * and ill-formed Unicode. Unlike the profile's FreeformClass (RFC 8264, section 4.3) it takes old jamo and
 * invisible characters such as joiners and variation selectors, because keyboards make emoji with them.
 */
export function preparePassword(input: string): PreparedPassword {
  const refuse = (reason: WeakReason, msg: string) =>
    ({ ok: false, refusal: { reason, msg } }) as const;
  const tooLong = refuse('too_long', `The password has more than ${PASSWORD_MAX_BYTES} bytes`);
  if (input === '') return refuse('empty', 'The password is empty');
  // NFC makes some texts shorter, but none by half.
  if (input.length > 2 * PASSWORD_MAX_BYTES) return tooLong;
  if (!input.isWellFormed()) {
    return refuse('invalid_characters', 'The password is not well-formed Unicode');
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(input)) {
    return refuse('invalid_characters', 'The password must not contain control characters');
  }
  if (/[\p{Cn}\p{Co}]/u.test(input)) {
    const msg = 'The password contains a character that Unicode does not define';
    return refuse('invalid_characters', msg);
  }
  const password = input.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
  return Buffer.byteLength(password) > PASSWORD_MAX_BYTES ? tooLong : { ok: true, password };
}

/**
 * Returns why a prepared password is too weak for a new one; undefined if it is good. It looks
 * at the length, common passwords, and passwords derived from the user or the service. It does not ask for
 * kinds of characters (NIST SP 800-63B-4, section 3.1.1.2).
 */
export function checkNewPassword(
  password: string,
  context: PasswordContext,
): WeakPassword | undefined {
  const { username, email, minLength } = context;
  if (Array.from(password).length < minLength) {
    return { reason: 'too_short', msg: `The password has fewer than ${minLength} characters` };
  }
  const folded = fold(password);
  common ??= new Set(commonPasswords().filter(isLongEnough).map(fold));
  if (common.has(folded) || isSimpleRun(folded)) {
    return { reason: 'common', msg: 'The password is one of the most common' };
  }
  const name = fold(username ?? '');
  if (folded === name || contains(folded, name)) {
    return { reason: 'contains_username', msg: 'The password contains the username' };
  }
  const mailbox = fold(email?.split('@')[0] ?? '');
  if (contains(folded, mailbox)) {
    return { reason: 'contains_email', msg: 'The password contains the e-mail address' };
  }
  if (contains(folded, SERVICE)) {
    return { reason: 'contains_service', msg: 'The password contains the name of this service' };
  }
  return undefined;
}

const isLongEnough = (entry: string): boolean => entry.length >= SHORTEST;

function fold(text: string): string {
  return caseFold(text, 'NFKC');
}

/**
 * Tells whether a password contains `part`. Parts of one or two characters do not count: every other password
 * has them by chance.
 */
function contains(password: string, part: string): boolean {
  return Array.from(part).length >= 3 && password.includes(part);
}

/**
 * Tells whether every character is the one before it plus 0, 1 or minus 1: `aaaaaaaa`, `12345678`,
 * `hgfedcba`.
 */
function isSimpleRun(password: string): boolean {
  const points = Array.from(password, (point) => point.codePointAt(0) ?? 0);
  if (points.length > MAX_RUN) return false;
  const steps = new Set(points.slice(1).map((point, index) => point - (points[index] ?? 0)));
  const [step = 0] = steps;
  return steps.size <= 1 && Math.abs(step) <= 1;
}
