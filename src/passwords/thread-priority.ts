import { createRequire } from 'node:module';

/**
 * Linux gives every thread its own nice value. Windows has a priority for each thread; -1 is below normal.
 *
 * At 1, Linux weighs a hashing thread 820 to 1024, so logins keep four ninths of a core that another process
 * wants too. At 10 it is 110 to 1024, and logins would keep a tenth.
 */
const INCREMENTS: Partial<Record<NodeJS.Platform, number>> = { linux: 1, win32: -1 };

/**
 * Returns by how much a hashing thread's nice value should exceed that of the others.
 *
 * @throws Error with a sentence for the log, if the platform cannot or does not allow it
 */
export function niceIncrement(platform = process.platform, load = loadNice): number {
  const increment = INCREMENTS[platform];
  if (increment === undefined)
    throw new Error(`threads have no priority of their own on ${platform}`);
  // Changes no value. It shows whether the module and the call exist: a thread that found out by itself would
  // not start.
  load().nice(0);
  return increment;
}

/** Loads a module that exists for some platforms only. */
function loadNice(): { nice(increment: number): number } {
  return createRequire(import.meta.url)('@napi-rs/nice') as { nice(increment: number): number };
}
