// @ts-check
/**
 * What runs in a hashing thread. Plain JavaScript, because a thread is outside the tests' transform:
 * the build copies this file, the tests load it as it stands. Every export is work that
 * `HashPool.run` can be asked for by its name, so another algorithm is one more export; it may block,
 * and it sees what it is given and nothing else.
 */
import bcrypt from 'bcrypt';

/** @param {{ password: string, cost: number }} input */
export const bcryptHash = ({ password, cost }) => bcrypt.hashSync(password, cost);

/** @param {{ password: string, hash: string }} input */
export const bcryptCompare = ({ password, hash }) => bcrypt.compareSync(password, hash);
