import { isIP } from 'node:net';
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

/** Times to name in a message, of which those within the bounds are named. */
const EXAMPLES = ['5', '30s', '15m', '12h', '30d'];

/** A length of time in seconds, or with a unit: `900`, `900s`, `15m`, `12h`, `30d`. */
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

/** The path of a folder, without `~`: a shell would replace it, but Latchkey does not. */
export const folder = z.string().refine((path) => !path.startsWith('~'), {
  error: 'expected a path without ~, which no shell replaces',
});

/** A comma-separated list. */
export const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/**
 * Says why a URL with credentials is not what its writer meant. Words after `?` that are not `known` would
 * have no effect, and an `@` in a password would turn the rest of the password into a host. Shows no value.
 */
export function urlFault(url: string, known: readonly string[] = []): string | undefined {
  const [, rest = ''] = url.split(/:\/\/(.*)/s);
  const [authority = ''] = rest.split(/[/?#]/, 1);
  if (rest.includes('#') || rest.split('@').length > 2 || rest.includes('@', authority.length)) {
    return 'write @ as %40, / as %2F, ? as %3F and # as %23 in a user name or password';
  }
  const [, query = ''] = rest.split(/\?(.*)/s);
  const words = [...new URLSearchParams(query).keys()];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    // Anything but a word may be a part of a password, so it is not shown.
    const name = /^\w{1,40}$/.test(unknown) ? unknown : 'what stands after ?';
    return `${name} is not supported${known.length > 0 ? `; known are ${known.join(', ')}` : ''}`;
  }
  const twice = words.find((word, index) => words.indexOf(word) < index);
  return twice && `${twice} is given twice`;
}

/**
 * Whether `text` is an exact origin such as `https://app.example.com`. Browsers send no origin with a
 * wildcard, and no other sign either that a name cannot have.
 */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:/.test(text)) return false;
  const { origin, hostname } = new URL(text);
  return origin === text && isHostname(hostname);
}

/** Whether `text` is an http address without credentials, query or fragment, as one reads it. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:\/\/[^?#@\s\\]+$/.test(text)) return false;
  return hasPlainHost(text);
}

/** Whether the host of a URL is the one that stands there: `http://1` means http://0.0.0.1. */
export function hasPlainHost(url: string): boolean {
  const { hostname } = new URL(url);
  return isHostname(hostname) && (isIP(hostname) === 0 || url.includes(hostname));
}

/** Whether `host`, as in a URL, is an address, or a name whose last part is no number. */
export function isHostname(host: string): boolean {
  const address = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  return isIP(address) !== 0 || /^([\w-]+\.)*(?!\d+\.?$|0x[\da-f]*\.?$)[\w-]+\.?$/i.test(host);
}

/** Whether `text` is an address, or a network such as `10.0.0.0/8`, but not all addresses there are. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}

/** Whether `host`, as in a URL, is this machine by a loopback address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/.test(host);
}
