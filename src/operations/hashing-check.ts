import bcrypt from 'bcrypt';
import type { Config } from '../config/config.js';
import { fail, type Finding, ok, warn } from '../common/finding.js';

/** The bounds for hashing one password, in milliseconds. Less is cheap to guess, more is slow to use. */
const MIN_MILLIS = 100;
const MAX_MILLIS = 500;
const TOO_SLOW_MILLIS = 2_000;
/** The costs that the setting accepts. */
const MIN_COST = 10;
const MAX_COST = 16;

/** Measures the configured cost on this machine. */
export async function checkHashing({ bcryptCost }: Config): Promise<Finding> {
  let fastest = Infinity;
  for (let spent = 0, runs = 0; runs < 3 && spent < 1_000; runs++) {
    const began = performance.now();
    await bcrypt.hash('any password', bcryptCost);
    const took = performance.now() - began;
    fastest = Math.min(fastest, took);
    spent += took;
  }
  return hashingFinding(bcryptCost, Math.round(fastest));
}

/** Judges a cost that takes `millis` here, and proposes a better one. */
export function hashingFinding(cost: number, millis: number): Finding {
  const check = 'hashing';
  const message = `a password takes ${millis} ms at cost ${cost}`;
  if (cost < MIN_COST)
    return fail(check, message, `set BCRYPT_COST to ${MIN_COST} or more: less is for tests`);
  if (millis <= MAX_MILLIS && (millis >= MIN_MILLIS || cost >= MAX_COST)) return ok(check, message);
  const fitting = cost + Math.floor(Math.log2(MAX_MILLIS / Math.max(millis, 1)));
  const best = Math.min(Math.max(fitting, MIN_COST), MAX_COST);
  const advice =
    best === cost
      ? 'this machine is too slow for the lowest cost'
      : `set BCRYPT_COST=${best}, for ${MIN_MILLIS} to ${MAX_MILLIS} ms`;
  return (millis > TOO_SLOW_MILLIS ? fail : warn)(check, message, advice);
}
