import { z } from 'zod';

/** Seconds of a day. */
export const DAY = 86_400;
const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: DAY };

/** The seconds that `text` says, `900` or `15m`; NaN where it says none. */
function secondsOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  return digits === '' ? NaN : Number(digits) * (UNITS[unit] ?? NaN);
}

const span = (seconds: number): string => (seconds >= DAY ? `${seconds / DAY}d` : `${seconds}s`);

/** A length of time in seconds, or with a unit: `900`, `900s`, `15m`, `12h`, `30d`. */
export function duration(fallback: string, max: number, min = 1): z.ZodType<number> {
  return z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const seconds = secondsOf(text);
      if (seconds >= min && seconds <= max) return seconds;
      ctx.addIssue(`expected a time such as 900, 15m, 12h or 30d, at most ${span(max)}`);
      return z.NEVER;
    });
}

/** How often something may happen: `points` times in `seconds`. */
export interface Rate {
  points: number;
  seconds: number;
}

/** What a rate has to look like, for messages. */
export const RATE_FORM = `a rate such as 30/1m: up to 1000000 times in at most ${span(30 * DAY)}`;

/** Reads `30/1m`, `5/15m`, `100/1d`; undefined where it is no rate. */
export function readRate(text: string): Rate | undefined {
  const [count = '', time = '', ...more] = text.split('/');
  const rate = { points: Number(count), seconds: secondsOf(time) };
  const counts = /^\d{1,7}$/.test(count) && rate.points > 0 && rate.points <= 1_000_000;
  const lasts = rate.seconds > 0 && rate.seconds <= 30 * DAY;
  return counts && lasts && more.length === 0 ? rate : undefined;
}

/** A {@link Rate}: `30/1m`. */
export function rate(fallback: string): z.ZodType<Rate> {
  return z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const read = readRate(text);
      if (read) return read;
      ctx.addIssue(`expected ${RATE_FORM}`);
      return z.NEVER;
    });
}

/** A whole number from `min` to `max`. */
export function integer(fallback: number | undefined, min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
  return fallback === undefined ? schema.optional() : schema.prefault(String(fallback));
}

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number],
) {
  return z
    .enum(values, { error: `expected one of ${values.join(', ')}` })
    .default(fallback as never);
}

/** A comma-separated list. */
export const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/** Whether `text` is an exact origin such as `https://app.example.com`. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

/** Whether `text` is an http address without credentials, query or fragment. */
export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\/[^?#@]+$/.test(text);
}

/** Whether `host`, as in a URL, is this machine by a loopback address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/.test(host);
}
