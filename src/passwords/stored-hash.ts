import { randomBytes } from 'node:crypto';

/** A stored hash taken apart: which of the threads' work verifies it, and with what. */
export type StoredHash =
  | { algorithm: 'bcrypt'; hash: string; cost: number; condensed: boolean }
  | {
      algorithm: 'pbkdf2';
      digest: 'sha256' | 'sha512';
      iterations: number;
      salt: Uint8Array;
      key: Uint8Array;
    }
  | {
      algorithm: 'scrypt';
      cost: number;
      blockSize: number;
      parallelism: number;
      salt: Uint8Array;
      key: Uint8Array;
    }
  | {
      algorithm: 'argon2id';
      /** KiB. */
      memory: number;
      passes: number;
      parallelism: number;
      salt: Uint8Array;
      key: Uint8Array;
    };

/** A hash that can be verified, or a sentence that says why it cannot or must not be. */
export type ReadHash = { ok: true; hash: StoredHash } | { ok: false; reason: string };

/**
 * What is stored for a user without a password begins with this: no password matches it. It is the
 * beginning of no hash, as in Unix's `/etc/shadow` and in Django.
 */
export const NO_PASSWORD = '!';

/**
 * What is stored for a user who loses the password, or never had one. It differs each time, so that
 * mailed links, which are good for one stored password only, do not become good again.
 */
export const unusableHash = (): string => NO_PASSWORD + randomBytes(16).toString('base64url');

/** Whether a password can match what is stored. */
export const hasPassword = (stored: string): boolean => !stored.startsWith(NO_PASSWORD);

/** Stands before the bcrypt hash of a password that was condensed first; see `PasswordsService`. */
export const CONDENSED = 'sha384$';

/** As long as the column. */
const LONGEST = 255;

/**
 * How much work one login may cost a thread, and how little a hash worth taking over: a few seconds,
 * and what was common a decade ago. PBKDF2 in iterations, scrypt in N·r·p, Argon2 in KiB times passes.
 */
const WORK = {
  bcrypt: [4, 16],
  pbkdf2: [1_000, 5_000_000],
  scrypt: [2 ** 13, 2 ** 22],
  argon2id: [2 ** 12, 2 ** 20],
} as const;
/** What a hash may take of memory, in KiB, in each thread. */
const MEMORY = 262_144;
const LANES = 16;

/** Bytes: with fewer, other passwords would do as well, or two users' hashes tell that they share one. */
const KEY_BYTES = [16, 64] as const;
const SALT_BYTES = [8, 128] as const;

/**
 * Reads a hash as it is stored, ours or one of another system: bcrypt (`$2a$`, `$2b$`, `$2y$`, and
 * Django's `bcrypt$…`), Django's `pbkdf2_sha256$…` and `scrypt$…`, Werkzeug's `pbkdf2:…` and
 * `scrypt:…`, and `$scrypt$…` and `$argon2id$…` in the PHC string format (Django's `argon2$…` too).
 * A hash whose parameters would keep a thread busy for long, or that is too short to be one, is
 * refused: it is asked at the import, and again at each login.
 */
export function readStoredHash(text: string): ReadHash {
  if (text.length > LONGEST) return refuse(`The hash has more than ${LONGEST} characters`);
  for (const read of [bcrypt, pbkdf2, scrypt, argon2id]) {
    const found = read(text);
    if (found) return found;
  }
  return refuse('The hash is not one of bcrypt, pbkdf2_sha256, scrypt or argon2id');
}

function bcrypt(text: string): ReadHash | undefined {
  const form = /^(sha384\$|bcrypt\$)?\$2[aby](\$(\d\d)\$[./A-Za-z0-9]{53})$/;
  const [, before, rest, cost] = form.exec(text) ?? [];
  if (rest === undefined) return undefined;
  // $2a$, $2b$ and $2y$ name fixed bugs of other implementations; the computation is one.
  const hash = `$2b${rest}`;
  return checked('bcrypt', Number(cost), {
    algorithm: 'bcrypt',
    hash,
    cost: Number(cost),
    condensed: before === CONDENSED,
  });
}

function pbkdf2(text: string): ReadHash | undefined {
  const django = /^pbkdf2_(sha256)\$(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(text);
  const werkzeug = /^pbkdf2:(sha256|sha512):(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(text);
  const [, digest, iterations, salt = '', key = ''] = django ?? werkzeug ?? [];
  if (digest !== 'sha256' && digest !== 'sha512') return undefined;
  return checked('pbkdf2', Number(iterations), {
    algorithm: 'pbkdf2',
    digest,
    iterations: Number(iterations),
    salt: Buffer.from(salt),
    key: django ? base64(key, true) : hex(key),
  });
}

function scrypt(text: string): ReadHash | undefined {
  const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([^$]+)\$([^$]+)$/.exec(text);
  if (phc) {
    const [, ln, r, p, salt = '', key = ''] = phc;
    return checkedScrypt(2 ** Number(ln), r, p, base64(salt), base64(key));
  }
  const django = /^scrypt\$(\d{1,8})\$([^$]+)\$(\d{1,2})\$(\d{1,2})\$([^$]+)$/.exec(text);
  if (django) {
    const [, n, salt = '', r, p, key = ''] = django;
    return checkedScrypt(Number(n), r, p, Buffer.from(salt), base64(key, true));
  }
  const werkzeug = /^scrypt:(\d{1,8}):(\d{1,2}):(\d{1,2})\$([^$]+)\$([^$]+)$/.exec(text);
  if (!werkzeug) return undefined;
  const [, n, r, p, salt = '', key = ''] = werkzeug;
  return checkedScrypt(Number(n), r, p, Buffer.from(salt), hex(key));
}

function checkedScrypt(
  cost: number,
  r: string | undefined,
  p: string | undefined,
  salt: Uint8Array,
  key: Uint8Array,
): ReadHash {
  const [blockSize, parallelism] = [Number(r), Number(p)];
  if (!Number.isInteger(Math.log2(cost)) || cost < 2) {
    return refuse('The cost of the scrypt hash is not a power of two');
  }
  if (!withinMemory((128 * cost * blockSize) / 1024, parallelism)) return tooLarge();
  const work = cost * blockSize * parallelism;
  return checked('scrypt', work, {
    algorithm: 'scrypt',
    cost,
    blockSize,
    parallelism,
    salt,
    key,
  });
}

function argon2id(text: string): ReadHash | undefined {
  const form =
    /^(?:argon2)?\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,8}),p=(\d{1,3})\$([^$]+)\$([^$]+)$/;
  const [whole, m, t, p, salt = '', key = ''] = form.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  if (!withinMemory(memory, parallelism)) return tooLarge();
  // RFC 9106, section 3.1.
  if (passes < 1 || memory < 8 * parallelism) return refuse('The hash is not well-formed');
  return checked('argon2id', memory * passes, {
    algorithm: 'argon2id',
    memory,
    passes,
    parallelism,
    salt: base64(salt),
    key: base64(key),
  });
}

/** The hash, where its work, salt and key are of a size that can be. */
function checked(algorithm: keyof typeof WORK, work: number, hash: StoredHash): ReadHash {
  const [least, most] = WORK[algorithm];
  if (work < least) return refuse('The hash was made with too little work to be worth anything');
  if (work > most) return refuse('The hash asks for too much work for each login');
  if ('key' in hash && !(fits(hash.salt, SALT_BYTES) && fits(hash.key, KEY_BYTES))) {
    return refuse('The salt or the key of the hash is malformed, too short or too long');
  }
  return { ok: true, hash };
}

const refuse = (reason: string): ReadHash => ({ ok: false, reason });

const tooLarge = (): ReadHash =>
  refuse(`The hash asks for no lane, more than ${LANES}, or more than ${MEMORY / 1024} MiB`);

const withinMemory = (kib: number, lanes: number): boolean =>
  kib <= MEMORY && lanes >= 1 && lanes <= LANES;

const fits = ({ length }: Uint8Array, [least, most]: readonly [number, number]): boolean =>
  length >= least && length <= most;

/** The bytes of canonical base64, with its padding or without it; none where it is not. */
function base64(text: string, padded = false): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64');
  return text === (padded ? canonical : canonical.replace(/=+$/, '')) ? bytes : Buffer.alloc(0);
}

function hex(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'hex');
  return text === bytes.toString('hex') ? bytes : Buffer.alloc(0);
}
