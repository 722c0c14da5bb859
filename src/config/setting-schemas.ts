import { z } from 'zod';

/** Seconds of a day. */
export const DAY = 86_400;
const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: DAY };

/** Returns the seconds in `900` or `15m`; NaN if the text is not a time. */
export function secondsOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  return digits === '' ? NaN : Number(digits) * (UNITS[unit] ?? NaN);
}

/** Returns a time in words for messages: in days from one day on, else in seconds. */
export const span = (seconds: number): string =>
  seconds >= DAY ? `${seconds / DAY}d` : `${seconds}s`;

/** Times for messages, which name those within the bounds. */
const EXAMPLES = ['5', '30s', '15m', '12h', '30d'];

/** A length of time, in seconds or with a unit: `900`, `900s`, `15m`, `12h`, `30d`. The value is in seconds. */
export function duration(fallback: string, max: number, min = 1): z.ZodType<number> {
  return z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const seconds = secondsOf(text);
      if (seconds >= min && seconds <= max) return seconds;
      const examples = EXAMPLES.filter((time) => secondsOf(time) >= min && secondsOf(time) <= max);
      const bounds = `from ${span(min)} to ${span(max)}`;
      ctx.addIssue(`expected a time such as ${examples.join(', ')}: ${bounds}`);
      return z.NEVER;
    });
}

function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
}

/** A whole number from `min` to `max`. */
export const integer = (fallback: number, min: number, max: number): z.ZodType<number> =>
  wholeNumber(min, max).prefault(String(fallback));

/** A whole number from `min` to `max`, or undefined. */
export const optionalInteger = (min: number, max: number): z.ZodType<number | undefined> =>
  wholeNumber(min, max).optional();

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number],
) {
  return z
    .enum(values, { error: `expected one of ${values.join(', ')}` })
    .default(fallback as never);
}

/** The path of a folder, without `~`: a shell would replace it, but Latchkey does not. */
export const folder = z.string().refine((path) => !path.startsWith('~'), {
  error: 'expected a path without ~, which no shell replaces',
});

/** Splits a comma-separated list. */
export const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
