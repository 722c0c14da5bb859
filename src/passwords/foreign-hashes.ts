import {
  base64,
  canonicalBcrypt,
  checked,
  type Prehash,
  type ReadHash,
  refuse,
  tooLarge,
  withinMemory,
} from './hash-bounds.js';

/** The letters of crypt(3), in the order of their values. */
const CRYPT64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Reads a hash of an algorithm that Latchkey itself never stored; undefined if it is of none of these. */
export function readForeignHash(text: string): ReadHash | undefined {
  for (const read of [prehashedBcrypt, passlibPbkdf2, aspNet, firebase, shaCrypt, phpass]) {
    const found = read(text);
    if (found) return found;
  }
  return undefined;
}

/**
 * Reads bcrypt of a condensed password: Django's `bcrypt_sha256$$2b$…`, WordPress 6.8's `$wp$2y$…`, and both
 * versions of passlib's `$bcrypt-sha256$…`.
 */
function prehashedBcrypt(text: string): ReadHash | undefined {
  const marked = /^(bcrypt_sha256\$|\$wp)\$2[aby](\$(\d\d)\$[./A-Za-z0-9]{53})$/.exec(text);
  if (marked) {
    const [, mark, rest = '', cost] = marked;
    const by = mark === '$wp' ? 'wordpress' : 'django';
    return bcryptOf(rest, Number(cost), { by });
  }
  const form =
    /^\$bcrypt-sha256\$(?:v=2,t=2[aby],r=|(2[aby]),)(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;
  const [, first, rounds = '', salt = '', key = ''] = form.exec(text) ?? [];
  if (salt === '') return undefined;
  const rest = `$${rounds.padStart(2, '0')}$${salt}${key}`;
  return bcryptOf(rest, Number(rounds), first ? { by: 'passlib1' } : { by: 'passlib2', salt });
}

function bcryptOf(rest: string, cost: number, prehash: Prehash): ReadHash {
  const hash = `$2b${canonicalBcrypt(rest)}`;
  return checked('bcrypt', cost, { algorithm: 'bcrypt', hash, cost, condensed: false, prehash });
}

/** Reads `$pbkdf2$…` (SHA-1), `$pbkdf2-sha256$…` and `$pbkdf2-sha512$…`, in base64 with `.` for `+`. */
function passlibPbkdf2(text: string): ReadHash | undefined {
  const form = /^\$pbkdf2(-sha256|-sha512)?\$(\d{1,8})\$([^$]+)\$([^$]+)$/;
  const [whole, suffix, iterations, salt = '', key = ''] = form.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digest = suffix === '-sha256' ? 'sha256' : suffix === '-sha512' ? 'sha512' : 'sha1';
  return checked('pbkdf2', Number(iterations), {
    algorithm: 'pbkdf2',
    digest,
    iterations: Number(iterations),
    salt: base64(salt.replaceAll('.', '+')),
    key: base64(key.replaceAll('.', '+')),
  });
}

/** Reads ASP.NET Identity's versions 3 and 2: one base64 text of the parameters, the salt and the key. */
function aspNet(text: string): ReadHash | undefined {
  if (!/^A[A-Za-z0-9+/]{60,}={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(base64(text, true));
  if (bytes[0] === 0 && bytes.length === 49) {
    const [salt, key] = [bytes.subarray(1, 17), bytes.subarray(17)];
    return checked('pbkdf2', 1_000, {
      algorithm: 'pbkdf2',
      digest: 'sha1',
      iterations: 1_000,
      salt,
      key,
    });
  }
  if (bytes[0] !== 1 || bytes.length < 13) return undefined;
  const digest = (['sha1', 'sha256', 'sha512'] as const)[bytes.readUInt32BE(1)];
  const iterations = bytes.readUInt32BE(5);
  const end = 13 + bytes.readUInt32BE(9);
  if (digest === undefined) return undefined;
  return checked('pbkdf2', iterations, {
    algorithm: 'pbkdf2',
    digest,
    iterations,
    salt: bytes.subarray(13, end),
    key: bytes.subarray(end),
  });
}

/**
 * Reads Firebase's scrypt, in the form that other importers use:
 * `$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$key`.
 */
function firebase(text: string): ReadHash | undefined {
  const form =
    /^\$fbscrypt\$v=1,n=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2}),ss=([^,$]*),sk=([^,$]+)\$([^$]+)\$([^$]+)$/;
  const [whole, n, r, p, separator = '', signer = '', salt = '', key = ''] = form.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const [cost, blockSize, parallelism] = [2 ** Number(n), Number(r), Number(p)];
  if (!withinMemory((128 * cost * blockSize) / 1024, parallelism)) return tooLarge();
  // Some of Firebase's interfaces give base64url.
  const bytesOf = (text: string) => base64(text.replaceAll('-', '+').replaceAll('_', '/'), true);
  const signerKey = bytesOf(signer);
  const made = bytesOf(key);
  // The key is the encrypted signer key, so both have the same length.
  if (blockSize < 1 || signerKey.length === 0 || signerKey.length !== made.length) {
    return refuse('The hash is not well-formed');
  }
  return checked('firebase', cost * blockSize * parallelism, {
    algorithm: 'firebase',
    cost,
    blockSize,
    parallelism,
    signerKey,
    salt: Buffer.concat([bytesOf(salt), bytesOf(separator)]),
    key: made,
  });
}

/** The order in which SHA-crypt writes the bytes of a key: three at a time, the lowest six bits first. */
const SHA_CRYPT_ORDER = {
  sha256: orderOf(32, 10, [31, 30]),
  sha512: orderOf(64, 21, [63]),
};

/** Reads `$5$…` and `$6$…` of crypt(3), https://www.akkadia.org/drepper/SHA-crypt.txt */
function shaCrypt(text: string): ReadHash | undefined {
  const form =
    /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{1,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;
  const [, version, given = '5000', salt = '', letters = ''] = form.exec(text) ?? [];
  if (version === undefined) return undefined;
  const digest = version === '5' ? 'sha256' : 'sha512';
  return checked('shacrypt', Number(given), {
    algorithm: 'shacrypt',
    digest,
    rounds: Number(given),
    salt: Buffer.from(salt),
    key: fromCrypt64(letters, SHA_CRYPT_ORDER[digest]),
  });
}

/** Reads `$P$…` of WordPress before 6.8, and `$H$…` of phpBB 3. */
function phpass(text: string): ReadHash | undefined {
  const form = /^\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})$/;
  const [, log = '', salt = '', letters = ''] = form.exec(text) ?? [];
  if (log === '') return undefined;
  const rounds = 2 ** CRYPT64.indexOf(log);
  const order = Array.from({ length: 16 }, (_, i) => i);
  return checked('phpass', rounds, {
    algorithm: 'phpass',
    rounds,
    salt: Buffer.from(salt),
    key: fromCrypt64(letters, order),
  });
}

/** Decodes `letters` to bytes in their order. Returns no bytes if the letters are not canonical. */
function fromCrypt64(letters: string, order: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(order.length);
  let bits = 0;
  let width = 0;
  let next = 0;
  for (const letter of letters) {
    bits |= CRYPT64.indexOf(letter) << width;
    width += 6;
    while (width >= 8 && next < order.length) {
      bytes[order[next++] ?? 0] = bits & 0xff;
      bits >>= 8;
      width -= 8;
    }
  }
  return next === order.length && width < 8 && bits === 0 ? bytes : Buffer.alloc(0);
}

/** Returns the byte order of a SHA-crypt key of `length` bytes, whose groups begin `step` bytes apart. */
function orderOf(length: number, step: number, last: number[]): number[] {
  const order: number[] = [];
  for (let i = 0; i < step; i++) {
    const group = [i, i + step, i + 2 * step];
    // Each group rotates the one before it, to the left or to the right.
    const turn = length === 32 ? (3 - (i % 3)) % 3 : i % 3;
    const turned = [...group.slice(turn), ...group.slice(0, turn)];
    order.push(...turned.reverse());
  }
  return [...order, ...last.toReversed()];
}
