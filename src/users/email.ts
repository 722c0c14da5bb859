import { domainToASCII, domainToUnicode } from 'node:url';
import { caseFold } from '../common/case-fold.js';

/** The longest address, in characters (RFC 5321, section 4.5.3.1.3, less the brackets). */
export const EMAIL_MAX = 254;

/**
 * An address as typed, without blanks around it, and its unique form; or a sentence with the reason why it is
 * invalid.
 */
export type PreparedEmail =
  { ok: true; email: string; key: string } | { ok: false; reason: string };

/**
 * Checks an e-mail address by its form (RFC 5321, sections 4.1.2 and 4.5.3.1, without quoted local parts and
 * address literals; RFC 6531 for other scripts). Only a mail can show whether it receives mail. The key
 * ignores case, is in NFC, and has the domain in its ASCII form.
 */
export function prepareEmail(typed: string): PreparedEmail {
  const input = typed.trim();
  const invalid = { ok: false, reason: 'The email is not an e-mail address' } as const;
  if (input.length > EMAIL_MAX || !input.isWellFormed()) return invalid;
  const [local = '', domain = '', ...more] = input.split('@');
  const atom = /^[^\p{C}\p{Z}"(),:;<>@[\\\]]+$/u;
  // `domainToASCII` cuts a domain off at `/`, `?` or `#`, and decodes `%`: two addresses would have one key.
  const plainDomain = /^(?:[a-zA-Z0-9.-]|\P{ASCII})+$/u;
  const wellPlacedDots = !/^\.|\.\.|\.$/.test(local);
  if (more.length > 0 || !atom.test(local) || !wellPlacedDots) return invalid;
  if (Buffer.byteLength(local) > 64 || Buffer.byteLength(input) > 254) return invalid;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  if (!atom.test(domain) || !plainDomain.test(domain) || ascii.length > 253 || labels.length < 2)
    return invalid;
  // Node 24's `domainToASCII` accepts labels that stand for no Unicode text.
  if (domainToASCII(domainToUnicode(ascii)) !== ascii || labels.some(isBrokenPunycode))
    return invalid;
  if (!labels.every((part) => label.test(part)) || /^\d+$/.test(labels.at(-1) ?? ''))
    return invalid;
  return { ok: true, email: input, key: `${caseFold(local, 'NFC')}@${ascii}` };
}

/** Tells whether a label has the form of punycode (RFC 3492) but cannot be decoded. */
const isBrokenPunycode = (label: string): boolean =>
  label.startsWith('xn--') && domainToUnicode(label).startsWith('xn--');

/**
 * Returns the beginning of the keys of all addresses that begin with `text`. A domain in another script is
 * found only with a complete last label, because a part of a label has no ASCII form.
 */
export function emailPrefix(typed: string): string {
  const text = typed.trim();
  const at = text.indexOf('@') + 1;
  if (at === 0) return caseFold(text, 'NFC');
  const domain = text.slice(at);
  const ascii = /^\p{ASCII}*$/u.test(domain) ? domain.toLowerCase() : domainToASCII(domain);
  return caseFold(text.slice(0, at), 'NFC') + (ascii || domain);
}
