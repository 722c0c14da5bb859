import { z } from 'zod';

/** Seconds of a day. */
export const DAY = 86_400;
const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: DAY };

/** A length of time in seconds, or with a unit: `900`, `900s`, `15m`, `12h`, `30d`. */
export function duration(fallback: string, max: number): z.ZodType<number> {
  const longest = max >= DAY ? `${max / DAY}d` : `${max}s`;
  return z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
      const seconds = Number(digits) * (UNITS[unit] ?? 0);
      if (seconds > 0 && seconds <= max) return seconds;
      ctx.addIssue(`expected a time such as 900, 15m, 12h or 30d, at most ${longest}`);
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
