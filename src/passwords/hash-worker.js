// @ts-check
/**
 * What runs in a hashing thread. Plain JavaScript, because a thread is outside the tests' transform:
 * the build copies this file, the tests load it as it stands. Every export is work that
 * `HashPool.run` can be asked for by its name, so another algorithm is one more export; it may block,
 * and it sees what it is given and nothing else.
 */
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
