import { DAY, secondsOf, span } from './setting-schemas.js';

/** A rate limit: `points` times in `seconds`. */
export interface Rate {
  points: number;
  seconds: number;
}

/** The form of a rate, for messages. */
export const RATE_FORM = `a rate such as 30/1m: up to 1000000 times in at most ${span(30 * DAY)}`;

/** Reads `30/1m`, `5/15m` or `100/1d`; undefined if the text is not a rate. */
export function readRate(text: string): Rate | undefined {
  const [count = '', time = '', ...more] = text.split('/');
  const rate = { points: Number(count), seconds: secondsOf(time) };
  const counts = /^\d{1,7}$/.test(count) && rate.points > 0 && rate.points <= 1_000_000;
  const lasts = rate.seconds > 0 && rate.seconds <= 30 * DAY;
  return counts && lasts && more.length === 0 ? rate : undefined;
}
