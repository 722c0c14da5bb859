// @ts-check
/**
 * The code of a hashing thread. It is plain JavaScript, because a thread is outside the tests' transform: the
 * build copies this file, and the tests load it directly. Every export is a job that `HashPool.run` can
 * request by its name, so another algorithm is one more export. A job may block, and it sees only its input.
 */
import { Buffer } from 'node:buffer';
import { createCipheriv, createHash, pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import bcrypt from 'bcrypt';

export const bcryptHash = timed(
  /** @param {{ password: string, cost: number }} input */
  ({ password, cost }) => bcrypt.hashSync(password, cost),
);

export const bcryptCompare = verification(
  /** @param {{ password: string, hash: string, dummies?: string[] }} input */
  ({ password, hash, dummies = [] }) => {
    if (bcrypt.compareSync(password, hash)) return true;
    for (const dummy of dummies) bcrypt.compareSync(password, dummy);
    return false;
  },
);

/**
 * OpenSSL's bound for scrypt, in bytes. It needs little beside the memory that its parameters are checked
 * for.
 */
const MAX_MEMORY = 2 ** 29;

export const pbkdf2Verify = verification(
  /** @param {{ password: string, digest: string, iterations: number } & Salted} input */
  ({ password, digest, iterations, salt, key }) =>
    timingSafeEqual(pbkdf2Sync(password, salt, iterations, key.length, digest), key),
);

export const scryptVerify = verification(
  /**
   * @param {{ password: string, cost: number, blockSize: number, parallelism: number } & Salted} input
   */
  ({ password, cost, blockSize, parallelism, salt, key }) => {
    const options = { cost, blockSize, parallelization: parallelism, maxmem: MAX_MEMORY };
    return timingSafeEqual(scryptSync(password, salt, key.length, options), key);
  },
);

export const argon2idVerify = verification(
  /** @param {{ password: string, memory: number, passes: number, parallelism: number } & Salted} input */
  async ({ password, memory, passes, parallelism, salt, key }) => {
    // Loaded only in threads that meet such a hash.
    const { argon2id } = await import('hash-wasm');
    const made = await argon2id({
      password,
      salt,
      memorySize: memory,
      iterations: passes,
      parallelism,
      hashLength: key.length,
      outputType: 'binary',
    });
    return timingSafeEqual(made, key);
  },
);

/** In bytes. Each round reads the password again, so a longer one would multiply the work. */
const MAX_ROUND_BYTES = 256;

export const firebaseVerify = verification(
  /**
   * @param {{ password: string, cost: number, blockSize: number, parallelism: number,
   *   signerKey: Uint8Array } & Salted} input
   */
  ({ password, cost, blockSize, parallelism, signerKey, salt, key }) => {
    const options = { cost, blockSize, parallelization: parallelism, maxmem: MAX_MEMORY };
    const derived = scryptSync(password, salt, 32, options);
    const cipher = createCipheriv('aes-256-ctr', derived, Buffer.alloc(16));
    return timingSafeEqual(Buffer.concat([cipher.update(signerKey), cipher.final()]), key);
  },
);

export const phpassVerify = verification(
  /** @param {{ password: string, rounds: number } & Salted} input */
  ({ password, rounds, salt, key }) => {
    if (Buffer.byteLength(password) > MAX_ROUND_BYTES) return false;
    let digest = createHash('md5').update(salt).update(password).digest();
    for (let i = 0; i < rounds; i++) {
      digest = createHash('md5').update(digest).update(password).digest();
    }
    return timingSafeEqual(digest, key);
  },
);

/** Step numbers as in https://www.akkadia.org/drepper/SHA-crypt.txt */
export const shacryptVerify = verification(
  /** @param {{ password: string, digest: string, rounds: number } & Salted} input */
  ({ password, digest, rounds, salt, key }) => {
    const text = Buffer.from(password);
    if (text.length > MAX_ROUND_BYTES) return false;
    const hash = (/** @type {Uint8Array[]} */ ...parts) => {
      const made = createHash(digest);
      for (const part of parts) made.update(part);
      return made.digest();
    };
    /** Returns `bytes` repeated up to `length`. */
    const repeated = (/** @type {Uint8Array} */ bytes, /** @type {number} */ length) =>
      Buffer.alloc(length, bytes);
    // 1 to 12
    const other = hash(text, salt, text);
    const first = [text, salt, repeated(other, text.length)];
    for (let bits = text.length; bits > 0; bits >>= 1) first.push(bits & 1 ? other : text);
    let result = hash(...first);
    // 13 to 20
    const p = repeated(hash(repeated(text, text.length ** 2)), text.length);
    const s = repeated(hash(repeated(salt, salt.length * (16 + (result[0] ?? 0)))), salt.length);
    // 21
    for (let i = 0; i < rounds; i++) {
      const parts = [i % 2 ? p : result];
      if (i % 3) parts.push(s);
      if (i % 7) parts.push(p);
      parts.push(i % 2 ? result : p);
      result = hash(...parts);
    }
    return timingSafeEqual(result, key);
  },
);

/**
 * @typedef {{ salt: Uint8Array, key: Uint8Array }} Salted
 */

/**
 * Wraps the comparison of a password with a stored hash. An error means that the hash cannot be the
 * password's: the answer is false, and `problem` says why.
 *
 * @template Input
 * @param {(input: Input) => boolean | Promise<boolean>} work
 */
function verification(work) {
  return async (/** @type {Input} */ input) => {
    const began = performance.now();
    /** @type {{ value: boolean, problem?: string }} */
    let result;
    try {
      result = { value: await work(input) };
    } catch (error) {
      result = { value: false, problem: /** @type {Error} */ (error).message };
    }
    return { ...result, seconds: (performance.now() - began) / 1000 };
  };
}

/**
 * Adds the time that the work took to its value, in seconds, without the start of the thread.
 *
 * @template Input, Value
 * @param {(input: Input) => Value | Promise<Value>} work
 */
function timed(work) {
  return async (/** @type {Input} */ input) => {
    const began = performance.now();
    const value = await work(input);
    return { value, seconds: (performance.now() - began) / 1000 };
  };
}
