// @ts-check
/**
 * What runs in a hashing thread. Plain JavaScript, because a thread is outside the tests' transform:
 * the build copies this file, the tests load it as it stands. Every export is work that
 * `HashPool.run` can be asked for by its name, so another algorithm is one more export; it may block,
 * and it sees what it is given and nothing else.
 */
import { pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import bcrypt from 'bcrypt';

export const bcryptHash = timed(
  /** @param {{ password: string, cost: number }} input */
  ({ password, cost }) => bcrypt.hashSync(password, cost),
);

export const bcryptCompare = timed(
  /** @param {{ password: string, hash: string }} input */
  ({ password, hash }) => bcrypt.compareSync(password, hash),
);

/** For scrypt, in bytes: what it needs beside the memory that its parameters are checked for is little. */
const MAX_MEMORY = 2 ** 29;

export const pbkdf2Verify = timed(
  /** @param {{ password: string, digest: string, iterations: number } & Salted} input */
  ({ password, digest, iterations, salt, key }) =>
    timingSafeEqual(pbkdf2Sync(password, salt, iterations, key.length, digest), key),
);

export const scryptVerify = timed(
  /**
   * @param {{ password: string, cost: number, blockSize: number, parallelism: number } & Salted} input
   */
  ({ password, cost, blockSize, parallelism, salt, key }) => {
    const options = { cost, blockSize, parallelization: parallelism, maxmem: MAX_MEMORY };
    return timingSafeEqual(scryptSync(password, salt, key.length, options), key);
  },
);

export const argon2idVerify = timed(
  /** @param {{ password: string, memory: number, passes: number, parallelism: number } & Salted} input */
  async ({ password, memory, passes, parallelism, salt, key }) => {
    // Loaded in the threads of those who have such hashes.
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

/**
 * @typedef {{ salt: Uint8Array, key: Uint8Array }} Salted
 */

/**
 * Tells beside the value how long the work took, in seconds, without the start of the thread.
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
