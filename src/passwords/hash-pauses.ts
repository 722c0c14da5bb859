import { performance } from 'node:perf_hooks';

/** The longest pause after a hash, as a part of the time that the hash took. */
const LONGEST = 0.12;

/** The use of the event loop, from 0 to 1, above which threads pause. */
const BUSY = 0.7;

/**
 * Returns how long a thread has to pause after a hash: a function from the hash's time to the pause, both in
 * milliseconds. To the system, the main thread is one more beside the threads that hash, so many logins would leave
 * little of the processors to all other requests. If the event loop was busy since the last hash, requests waited.
 */
export function hashPauses(): (ms: number) => number {
  let last = performance.eventLoopUtilization();
  return (ms) => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    // NaN, if no time has passed.
    if (!(utilization > BUSY)) return 0;
    return (ms * LONGEST * (utilization - BUSY)) / (1 - BUSY);
  };
}
