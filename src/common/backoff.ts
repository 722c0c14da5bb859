import { randomInt } from 'node:crypto';

/** Waits that double from `first` up to `last`, in milliseconds. */
export interface Backoff {
  first: number;
  last: number;
}

/**
 * Returns the wait after the `attempts`-th try, plus or minus a quarter, so that clients do not retry at the
 * same moment.
 */
export function backoff(attempts: number, { first, last }: Backoff): number {
  const even = Math.min(first * 2 ** (attempts - 1), last);
  return Math.round((even * randomInt(750, 1251)) / 1000);
}
