import bcrypt from 'bcrypt';
import type { Config } from '../config/config.js';
import { fail, type Finding, ok, warn } from './finding.js';

/** How long one password may take, in milliseconds: shorter is cheap to guess, longer slow to use. */
const SHORTEST = 100;
const LONGEST = 500;
const UNBEARABLE = 2_000;
/** Costs that the setting takes. */
const LEAST = 10;
const MOST = 16;

/** Measures the cost of the settings on this machine. */
export async function checkHashing({ bcryptCost }: Config): Promise<Finding> {
  let fastest = Infinity;
  for (let spent = 0, runs = 0; runs < 3 && spent < 1_000; runs++) {
    const began = performance.now();
    await bcrypt.hash('any password', bcryptCost);
    const took = performance.now() - began;
    fastest = Math.min(fastest, took);
    spent += took;
  }
  return judgeHashing(bcryptCost, Math.round(fastest));
}

/** Whether a cost that takes `millis` here is right, and which is. */
export function judgeHashing(cost: number, millis: number): Finding {
  const check = 'hashing';
  const message = `a password takes ${millis} ms at cost ${cost}`;
  if (cost < LEAST) return fail(check, message, 'unset TEST_BCRYPT_COST: it is for tests');
  if (millis <= LONGEST && (millis >= SHORTEST || cost >= MOST)) return ok(check, message);
  const fitting = cost + Math.floor(Math.log2(LONGEST / Math.max(millis, 1)));
  const best = Math.min(Math.max(fitting, LEAST), MOST);
  const advice =
    best === cost
      ? 'this machine is too slow for the least cost'
      : `set BCRYPT_COST=${best}, for ${SHORTEST} to ${LONGEST} ms`;
  return (millis > UNBEARABLE ? fail : warn)(check, message, advice);
}
