import { createHash } from 'node:crypto';
import { commonPasswords, dicewareWords } from './word-lists.js';
import { PUBLISHED_SECRETS } from './published-secrets.js';

/** {@link PUBLISHED_SECRETS} as a set; a digest has 8 characters. */
const published = new Set(PUBLISHED_SECRETS.replaceAll('\n', '').match(/.{8}/g));

/** Enough to judge a secret by, in characters. */
const MAX_LENGTH = 512;

/** Bits that a word is worth, of some thousands that people think of. */
const WORD_BITS = 12;
const MIN_WORD_LENGTH = 3;
const MAX_WORD_LENGTH = 12;
const MIN_REPETITION = 4;

/** Whether everybody can know the secret: it was published, or is the digest of a common password. */
export function isWellKnown(secret: string): boolean {
  return textsOf(secret).some(
    (text) => isPublished(text) || isCommonDigest(text) || /^django-insecure-/i.test(text),
  );
}

/**
 * Tells whether a guessing program has to find at least `bits`, as {@link estimatedBits} counts them. For random
 * characters it needs no lists: it counts any letters as words, and there are enough bits without them.
 */
export function hasBits(secret: string, bits: number): boolean {
  return textsOf(secret.slice(0, MAX_LENGTH)).every(
    (text) => bitsOf(text, lettersAt) >= bits || bitsOf(text) >= bits,
  );
}

/**
 * Estimates how many bits a guessing program has to find. A word, a repetition and a run such as `abcd`
 * count as one word, a separator as one bit, and any other character as one of those that occur. A text
 * encoded in base64 or hexadecimal digits counts as the decoded text.
 */
export function estimatedBits(secret: string): number {
  return Math.min(...textsOf(secret.slice(0, MAX_LENGTH)).map((text) => bitsOf(text)));
}

/** Returns how many characters the word has that begins at `at`, or 0. */
type WordAt = (text: string, at: number) => number;

function bitsOf(text: string, wordAt: WordAt = listedWords(text)): number {
  let bits = 0;
  let rest = '';
  for (let at = 0; at < text.length;) {
    const step = Math.max(wordAt(text, at), runAt(text, at), repetitionAt(text, at), 1);
    if (step > 1) bits += WORD_BITS;
    else if (/[ ._-]/.test(text.charAt(at))) bits += 1;
    else rest += text.charAt(at);
    at += step;
  }
  return bits + rest.length * Math.log2(alphabetOf(rest));
}

/** The secret, and the text that it is if it is one in base64 or hexadecimal digits. */
function textsOf(secret: string): string[] {
  const hex = /^([\da-f]{2})+$/i.test(secret);
  const base64 = /^[\w+/-]+={0,2}$/.test(secret);
  const decoded = [
    ...(hex ? [Buffer.from(secret, 'hex')] : []),
    ...(base64 ? [Buffer.from(secret, 'base64')] : []),
  ];
  // Random bytes are no text: one in 10^13 of 32 is.
  const texts = decoded.map((bytes) => bytes.toString('latin1'));
  return [secret, ...texts.filter((text) => /^[ -~]+$/.test(text))];
}

function isPublished(text: string): boolean {
  const digest = createHash('sha256').update(text.trim().toLowerCase()).digest();
  return published.has(digest.subarray(0, 6).toString('base64url'));
}

function isCommonDigest(text: string): boolean {
  const plain = text.toLowerCase();
  const algorithm = { 32: 'md5', 40: 'sha1', 64: 'sha256', 96: 'sha384', 128: 'sha512' }[
    plain.length
  ];
  if (!algorithm || !/^[\da-f]+$/.test(plain)) return false;
  return [...commonPasswords(), 'latchkey'].some(
    (password) => createHash(algorithm).update(password).digest('hex') === plain,
  );
}

function alphabetOf(text: string): number {
  if (/^\d*$/.test(text)) return 10;
  return /^[\da-f]*$/i.test(text) ? 16 : new Set(text).size;
}

/**
 * Returns the words of the lists that occur in a text, in lower case. The lists have 57,000 words and a text few
 * parts, so the words are looked up among the parts: a set of all words would take 4 MB.
 */
function wordsIn(text: string): Set<string> {
  const parts = new Set<string>();
  for (const [letters] of text.toLowerCase().matchAll(/[a-z]+/g)) {
    for (let at = 0; at + MIN_WORD_LENGTH <= letters.length; at++) {
      for (let length = MIN_WORD_LENGTH; length <= MAX_WORD_LENGTH; length++) {
        parts.add(letters.slice(at, at + length));
      }
    }
  }
  if (parts.size === 0) return parts;
  const isPart = (word: string): boolean => parts.has(word);
  return new Set([...dicewareWords().filter(isPart), ...commonPasswords().filter(isPart)]);
}

/** Returns the function that finds the longest word of the lists. */
function listedWords(of: string): WordAt {
  const words = wordsIn(of);
  return (text, at) => {
    for (let length = MAX_WORD_LENGTH; length >= MIN_WORD_LENGTH; length--) {
      if (at + length > text.length) continue;
      if (words.has(text.slice(at, at + length).toLowerCase())) return length;
    }
    return 0;
  };
}

/** Takes any letters for a word. */
const lettersAt: WordAt = (text, at) =>
  /^[a-z]{3,12}/i.exec(text.slice(at, at + MAX_WORD_LENGTH))?.[0].length ?? 0;

/** Returns the length of the run at `at`: at least three characters that go up or down by one, or stay. */
function runAt(text: string, at: number): number {
  const stride = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (!(Math.abs(stride) <= 1)) return 0;
  let end = at + 1;
  while (text.charCodeAt(end + 1) - text.charCodeAt(end) === stride) end++;
  return end - at >= 2 ? end - at + 1 : 0;
}

/** How many characters from `at` on stand in the text before, in any case. */
function repetitionAt(text: string, at: number): number {
  const plain = text.toLowerCase();
  let length = MIN_REPETITION - 1;
  // The place before may reach into this one, as in `abcabcabc`.
  while (at + length < plain.length) {
    const before = plain.indexOf(plain.slice(at, at + length + 1));
    if (before === -1 || before >= at) break;
    length++;
  }
  return length >= MIN_REPETITION ? length : 0;
}
