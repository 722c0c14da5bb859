import bidiFactory from 'bidi-js';
import { hasDigitsOfOneSystem, isHighlyRestrictive } from './scripts.js';

/** The longest username, in code points of its prepared form. */
export const USERNAME_MAX = 64;

/**
 * A name as typed, without blanks around it, and its unique form; or a sentence with the reason why it is
 * invalid.
 */
export type PreparedUsername =
  { ok: true; username: string; key: string } | { ok: false; reason: string };

// The package's types describe the factory's result instead of the factory.
const bidi = (bidiFactory as unknown as () => { getBidiCharTypeName(char: string): string })();

/**
 * Returns a new username and its unique form. It is stricter than {@link readUsername}, because the name must
 * not look like another one. Its letters belong to one script, or to Latin with those of Chinese, Japanese or
 * Korean (UTS 39, section 5.2, highly restrictive). Its digits belong to one system. See also
 * `UsernameClaims`.
 */
export function prepareUsername(typed: string): PreparedUsername {
  const read = readUsername(typed);
  if (!read.ok) return read;
  if (!isHighlyRestrictive(read.key)) {
    return { ok: false, reason: 'The username mixes alphabets that look alike' };
  }
  if (!hasDigitsOfOneSystem(read.key)) {
    return { ok: false, reason: 'The username mixes digits of several systems' };
  }
  return read;
}

/**
 * Returns the unique form of a username that may exist, by the PRECIS profile UsernameCaseMapped (RFC 8265,
 * section 3.3): width-mapped, lower-cased code point by code point, NFC, the Bidi Rule (RFC 5893), then the
 * IdentifierClass of RFC 8264. Two names with one key are the same name.
 *
 * Blanks around a name are removed, because phone keyboards add one after a word. The rules are stricter than
 * the profile: 1 to 64 code points, no `@` (an e-mail address has it), no joiners (invisible), and one key
 * for the small forms of one capital (σ and ς).
 */
export function readUsername(typed: string): PreparedUsername {
  const refuse = (reason: string): PreparedUsername => ({ ok: false, reason });
  const input = typed.trim();
  if (input === '') return refuse('The username is empty');
  if (input.length > 8 * USERNAME_MAX) {
    return refuse(`The username has more than ${USERNAME_MAX} characters`);
  }
  if (!input.isWellFormed()) return refuse('The username is not well-formed Unicode');
  if (/\p{White_Space}/u.test(input)) return refuse('The username must not contain blanks');
  if (input.includes('@')) return refuse('The username must not contain @');

  let key = map(input);
  // RFC 8264, section 7: the rules are applied until the text no longer changes.
  for (let round = 0; round < 3 && map(key) !== key; round++) key = map(key);
  if (map(key) !== key) return refuse('The username cannot be brought into a stable form');

  const points = Array.from(key);
  if (points.length > USERNAME_MAX) {
    return refuse(`The username has more than ${USERNAME_MAX} characters`);
  }
  if (key.includes('@')) return refuse('The username must not contain @');
  if (!points.every((point, index) => isAllowed(point, index, points))) {
    return refuse('The username contains a character that is not a letter, digit or ASCII sign');
  }
  if (/^\p{M}/u.test(key)) return refuse('The username must not start with a combining mark');
  if (!followsBidiRule(points)) {
    return refuse('The username mixes right-to-left and left-to-right text');
  }
  return { ok: true, username: input, key };
}

/**
 * Returns the beginning of the keys of all names that begin with `text`, even if `text` is no name itself.
 */
export function usernamePrefix(text: string): string {
  return map(text.trim());
}

function map(text: string): string {
  return Array.from(text, (point) => {
    // Halfwidth jamo stay as they are and are refused: NFKC would go beyond their width mapping.
    const isWide = /[\uFF01-\uFF9F\uFFE0-\uFFEE]/.test(point);
    // By code point, because in a whole text the lower case of a sigma depends on its neighbours.
    const lower = (isWide ? point.normalize('NFKC') : point).toLowerCase();
    // Second small forms of one capital: the final sigma and the Cyrillic ones of old prints.
    return /[\u03C2\u1C80-\u1C88]/.test(lower) ? lower.toUpperCase().toLowerCase() : lower;
  })
    .join('')
    .normalize('NFC');
}

/** Tells whether a code point may stand in a name (RFC 8264, section 8, IdentifierClass, without joiners). */
function isAllowed(point: string, index: number, points: string[]): boolean {
  const contextual = contextRule(point, index, points);
  if (contextual !== undefined) return contextual;
  if (/[\u06FD\u06FE\u0F0B\u3007]/.test(point)) return true; // PVALID by exception
  if (/[\u0640\u07FA\u3031-\u3035\u303B]|\u302E|\u302F/.test(point)) return false;
  if (/[!-~]/.test(point)) return true;
  const oldHangulJamo = /[\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7FB]/;
  if (/\p{Default_Ignorable_Code_Point}/u.test(point) || oldHangulJamo.test(point)) return false;
  return (
    point.normalize('NFKC') === point && /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u.test(point)
  );
}

/** Applies the CONTEXTO rules (RFC 5892, appendix A.3 to A.9); undefined if no rule concerns `point`. */
function contextRule(point: string, index: number, points: string[]): boolean | undefined {
  const before = points[index - 1] ?? '';
  const after = points[index + 1] ?? '';
  const text = points.join('');
  if (point === '\u00B7') return before === 'l' && after === 'l';
  if (point === '\u0375') return /\p{Script=Greek}/u.test(after);
  if (/[\u05F3\u05F4]/.test(point)) return /\p{Script=Hebrew}/u.test(before);
  if (point === '\u30FB') return /[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u.test(text);
  if (/[\u0660-\u0669]/.test(point)) return !/[\u06F0-\u06F9]/.test(text);
  if (/[\u06F0-\u06F9]/.test(point)) return !/[\u0660-\u0669]/.test(text);
  return undefined;
}

/** Applies the Bidi Rule (RFC 5893, section 2) to a name with right-to-left characters. */
function followsBidiRule(points: string[]): boolean {
  const classes = points.map((point) => bidi.getBidiCharTypeName(point));
  const has = (name: string): boolean => classes.includes(name);
  if (!has('R') && !has('AL') && !has('AN')) return true;
  const only = /^(R|AL|AN|EN|ES|CS|ET|ON|BN|NSM)$/;
  const last = classes.findLast((name) => name !== 'NSM') ?? '';
  return (
    /^(R|AL)$/.test(classes[0] ?? '') &&
    classes.every((name) => only.test(name)) &&
    /^(R|AL|EN|AN)$/.test(last) &&
    !(has('EN') && has('AN'))
  );
}
