import { createRequire } from 'node:module';

/** Linux gives every thread its own nice value; Windows its own priority, -1 being below normal. */
const INCREMENTS: Partial<Record<NodeJS.Platform, number>> = { linux: 10, win32: -1 };

/**
 * By how much a thread that hashes should be nicer than the others.
 *
 * @throws Error with a sentence for the log where the platform cannot or does not let it
 */
export function niceIncrement(platform = process.platform, load = loadNice): number {
  const increment = INCREMENTS[platform];
  if (increment === undefined)
    throw new Error(`threads have no priority of their own on ${platform}`);
  // Changes nothing, and shows whether the module and the call are there: a thread that finds out
  // by itself does not start.
  load().nice(0);
  return increment;
}

/** A module for the one platform, which may have none. */
function loadNice(): { nice(increment: number): number } {
  return createRequire(import.meta.url)('@napi-rs/nice') as { nice(increment: number): number };
}
