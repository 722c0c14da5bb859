import { randomBytes } from 'node:crypto';
import { readForeignHash } from './foreign-hashes.js';
import {
  base64,
  canonicalBcrypt,
  checked,
  hex,
  type ReadHash,
  refuse,
  tooLarge,
  withinMemory,
} from './hash-bounds.js';

/**
 * The beginning of the stored value for a user without a password. No password matches it, and no hash begins
 * like it, as in Unix's `/etc/shadow` and in Django.
 */
export const NO_PASSWORD = '!';

/**
 * Returns the stored value for a user without a password. It differs each time: a mailed link is good for one
 * stored password only, and must not become good again.
 */
export const unusableHash = (): string => NO_PASSWORD + randomBytes(16).toString('base64url');

/** Tells whether any password can match the stored value. */
export const hasPassword = (stored: string): boolean => !stored.startsWith(NO_PASSWORD);

/** The mark before the hash of a password that does not count yet; see {@link pendingHash}. */
export const PENDING = `${NO_PASSWORD}pending$`;

/** Returns the stored value for a password that counts only after its user has verified the address. */
export const pendingHash = (hash: string): string => PENDING + hash;

/** Returns the value to store when the address of the user is verified. */
export const activeHash = (stored: string): string =>
  stored.startsWith(PENDING) ? stored.slice(PENDING.length) : stored;

/** The mark before the bcrypt hash of a password that was condensed first; see `PasswordsService`. */
export const CONDENSED = 'sha384$';

/** The length of the column. */
const MAX_LENGTH = 255;

/**
 * Reads a stored hash, ours or another system's. It knows bcrypt (`$2a$`, `$2b$`, `$2y$`, and Django's
 * `bcrypt$…`), Django's `pbkdf2_sha256$…` and `scrypt$…`, and Werkzeug's `pbkdf2:…` and `scrypt:…`. It also
 * knows `$scrypt$…` and `$argon2id$…` in the PHC string format (Django's `argon2$…` too), and the forms of
 * `readForeignHash`.
 *
 * It refuses a hash whose parameters would keep a thread busy for long, or that is too short. The import asks
 * it once, and every login again.
 */
export function readStoredHash(text: string): ReadHash {
  if (text.length > MAX_LENGTH) return refuse(`The hash has more than ${MAX_LENGTH} characters`);
  for (const read of [bcrypt, pbkdf2, scrypt, argon2id, readForeignHash]) {
    const found = read(text);
    if (found) return found;
  }
  const reason = 'The form of the hash is not known';
  return { ok: false, reason, known: false };
}

function bcrypt(text: string): ReadHash | undefined {
  const form = /^(sha384\$|bcrypt\$)?\$2[aby](\$(\d\d)\$[./A-Za-z0-9]{53})$/;
  const [, before, rest, cost] = form.exec(text) ?? [];
  if (rest === undefined) return undefined;
  // $2a$, $2b$ and $2y$ name fixed bugs of other implementations. The computation is the same.
  const hash = `$2b${canonicalBcrypt(rest)}`;
  return checked('bcrypt', Number(cost), {
    algorithm: 'bcrypt',
    hash,
    cost: Number(cost),
    condensed: before === CONDENSED,
  });
}

function pbkdf2(text: string): ReadHash | undefined {
  const django = /^pbkdf2_(sha1|sha256)\$(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(text);
  const werkzeug = /^pbkdf2:(sha1|sha256|sha512):(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(text);
  const [, digest, iterations, salt = '', key = ''] = django ?? werkzeug ?? [];
  if (digest !== 'sha1' && digest !== 'sha256' && digest !== 'sha512') return undefined;
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
  // RFC 7914, section 2: OpenSSL refuses all others.
  if (blockSize > 0 && Math.log2(cost) >= 16 * blockSize) {
    return refuse('The cost of the scrypt hash is too high for its block size');
  }
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
