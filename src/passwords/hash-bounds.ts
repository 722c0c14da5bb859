/** How another system condenses a password before bcrypt, so that all of a long one counts. */
export type Prehash =
  { by: 'django' | 'passlib1' | 'wordpress' } | { by: 'passlib2'; salt: string };

interface Salted {
  salt: Uint8Array;
  key: Uint8Array;
}

/** A stored hash in its parts: the algorithm that verifies it, and its parameters. */
export type StoredHash =
  | { algorithm: 'bcrypt'; hash: string; cost: number; condensed: boolean; prehash?: Prehash }
  | ({
      algorithm: 'pbkdf2';
      digest: 'sha1' | 'sha256' | 'sha512';
      iterations: number;
    } & Salted)
  | ({ algorithm: 'scrypt'; cost: number; blockSize: number; parallelism: number } & Salted)
  | ({
      /** Firebase: the output of scrypt encrypts the project's signer key. `key` is the result. */
      algorithm: 'firebase';
      cost: number;
      blockSize: number;
      parallelism: number;
      signerKey: Uint8Array;
    } & Salted)
  | ({
      algorithm: 'argon2id';
      /** KiB. */
      memory: number;
      passes: number;
      parallelism: number;
    } & Salted)
  | ({ algorithm: 'shacrypt'; digest: 'sha256' | 'sha512'; rounds: number } & Salted)
  | ({ algorithm: 'phpass'; rounds: number } & Salted);

/**
 * A hash that can be verified, or a sentence with the reason why it cannot or must not be. If `known` is
 * false, the form belongs to no algorithm here.
 */
export type ReadHash =
  { ok: true; hash: StoredHash } | { ok: false; reason: string; known: boolean };

/**
 * The work that a hash may cost a thread: at most a few seconds, and at least the usual cost of a decade ago.
 * PBKDF2 counts iterations, SHA-crypt and phpass rounds, scrypt N·r·p, Argon2 KiB times passes.
 */
const WORK = {
  bcrypt: [4, 16],
  pbkdf2: [1_000, 5_000_000],
  scrypt: [2 ** 13, 2 ** 22],
  firebase: [2 ** 13, 2 ** 22],
  argon2id: [2 ** 12, 2 ** 20],
  shacrypt: [1_000, 1_000_000],
  phpass: [2 ** 10, 2 ** 20],
} as const;
/** The memory that a hash may use in each thread, in KiB. */
const MEMORY = 262_144;
const LANES = 16;

/**
 * The length of a key, in bytes. A shorter key would match other passwords, or reveal that two users share
 * one.
 */
const KEY_BYTES = [16, 64] as const;
const SALT_BYTES = [8, 128] as const;

/** Returns the hash, or refuses it if its work, salt or key is out of bounds. */
export function checked(algorithm: keyof typeof WORK, work: number, hash: StoredHash): ReadHash {
  const [least, most] = WORK[algorithm];
  if (work < least) return refuse('The hash was made with too little work to be worth anything');
  if (work > most) return refuse('The hash asks for too much work for each login');
  if ('key' in hash && !(fits(hash.salt, SALT_BYTES) && fits(hash.key, KEY_BYTES))) {
    return refuse('The salt or the key of the hash is malformed, too short or too long');
  }
  return { ok: true, hash };
}

export const refuse = (reason: string): ReadHash => ({ ok: false, reason, known: true });

export const tooLarge = (): ReadHash =>
  refuse(`The hash asks for no lane, more than ${LANES}, or more than ${MEMORY / 1024} MiB`);

export const withinMemory = (kib: number, lanes: number): boolean =>
  kib <= MEMORY && lanes >= 1 && lanes <= LANES;

const fits = ({ length }: Uint8Array, [least, most]: readonly [number, number]): boolean =>
  length >= least && length <= most;

/** Decodes canonical base64, padded or not. Returns no bytes if the text is not canonical. */
export function base64(text: string, padded = false): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64');
  return text === (padded ? canonical : canonical.replace(/=+$/, '')) ? bytes : Buffer.alloc(0);
}

export function hex(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'hex');
  return text === bytes.toString('hex') ? bytes : Buffer.alloc(0);
}

/**
 * Returns the cost, salt and key of a bcrypt hash with the unused bits of salt and key cleared. Old libraries
 * left some set, and a comparison of the whole text would never match.
 */
export function canonicalBcrypt(rest: string): string {
  const letters = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const cleared = (letter: string, mask: number) => letters.charAt(letters.indexOf(letter) & mask);
  // `$12$`, 22 letters of salt, 31 letters of the key.
  const salt = rest.slice(0, 25) + cleared(rest.charAt(25), 0b110000);
  return salt + rest.slice(26, 56) + cleared(rest.charAt(56), 0b111100);
}
