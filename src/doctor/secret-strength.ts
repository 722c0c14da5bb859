import { createHash } from 'node:crypto';
import { dictionary } from '@zxcvbn-ts/language-common';

/** Secrets that tutorials, templates and this repository print, and guessing programs try first. */
const PUBLISHED = [
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  '413F4428472B4B6250655368566D5970337336763979244226452948404D6351',
  'THIS IS USED TO SIGN AND VERIFY JWT TOKENS, REPLACE IT WITH YOUR OWN SECRET, IT CAN BE ANY STRING',
  'an e2e secret of more than sixty-four bytes: 0123456789 abcdefghijklmnop',
  'a-secret-of-thirty-two-bytes-or-more!',
].map((secret) => secret.toLowerCase());

/** Bits that a word is worth, of some thousands that people think of. */
const WORD_BITS = 12;
const SHORTEST_WORD = 3;
const LONGEST_WORD = 12;

const WORDS = new Set(
  [...dictionary['diceware-common'], ...dictionary['passwords-common']].filter((word) =>
    /^[a-z]+$/.test(word),
  ),
);

/** Whether everybody can know the secret: it was published, or is the digest of a common password. */
export function isWellKnown(secret: string): boolean {
  const plain = secret.toLowerCase();
  if (PUBLISHED.includes(plain)) return true;
  const algorithm = { 32: 'md5', 40: 'sha1', 64: 'sha256', 96: 'sha384', 128: 'sha512' }[
    plain.length
  ];
  if (!algorithm || !/^[\da-f]+$/.test(plain)) return false;
  return [...dictionary['passwords-common'], 'latchkey'].some(
    (password) => createHash(algorithm).update(password).digest('hex') === plain,
  );
}

/**
 * About how many bits a guessing program has to find out: repetitions and runs such as `abcd` count
 * once, words as words, what parts words as a bit, and any other character as one of those that occur.
 */
export function estimatedBits(secret: string): number {
  const unit = secret.slice(0, (secret + secret).indexOf(secret, 1));
  let bits = 0;
  let rest = '';
  for (let at = 0; at < unit.length;) {
    const step = Math.max(wordAt(unit, at), runAt(unit, at), 1);
    if (step > 1) bits += WORD_BITS;
    else if (/[ ._-]/.test(unit.charAt(at))) bits += 1;
    else rest += unit.charAt(at);
    at += step;
  }
  return bits + rest.length * Math.log2(alphabetOf(rest));
}

function alphabetOf(text: string): number {
  if (/^\d*$/.test(text)) return 10;
  return /^[\da-f]*$/i.test(text) ? 16 : new Set(text).size;
}

/** How many characters the longest word has that begins at `at`. */
function wordAt(text: string, at: number): number {
  for (let length = LONGEST_WORD; length >= SHORTEST_WORD; length--) {
    if (at + length > text.length) continue;
    if (WORDS.has(text.slice(at, at + length).toLowerCase())) return length;
  }
  return 0;
}

/** How many characters from `at` on go up or down by one, or stay, where they are at least three. */
function runAt(text: string, at: number): number {
  const stride = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (!(Math.abs(stride) <= 1)) return 0;
  let end = at + 1;
  while (text.charCodeAt(end + 1) - text.charCodeAt(end) === stride) end++;
  return end - at >= 2 ? end - at + 1 : 0;
}
