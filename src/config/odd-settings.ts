import { SETTINGS } from './settings.js';

type Given = Record<string, string | undefined>;

const NAMES = Object.keys(SETTINGS);

/** Settings that another one needs to have an effect. */
const NEEDS: Record<string, string> = {
  SMTP_TLS: 'SMTP_URL',
  AUTH_COOKIE_DOMAIN: 'AUTH_COOKIES',
  AUTH_COOKIE_SAMESITE: 'AUTH_COOKIES',
  WEBHOOK_SECRET: 'WEBHOOK_URL',
  WEBHOOK_TLS: 'WEBHOOK_URL',
  WEBHOOK_TIMEOUT: 'WEBHOOK_URL',
  OTEL_EXPORTER_OTLP_HEADERS: 'OTEL_EXPORTER_OTLP_ENDPOINT',
};

/** Names settings without effect: their names only resemble ours, or the setting that they need is missing. */
export function oddSettings(given: Given): string[] {
  const names = Object.keys(given).filter((name) => given[name]);
  const alike = names.flatMap((name) => {
    const meant = resembled(name);
    return meant ? [`${name} is no setting: ${meant}`] : [];
  });
  const idle = names.flatMap((name) => {
    const needed = Object.hasOwn(NEEDS, name) ? NEEDS[name] : undefined;
    return needed && !given[needed] ? [`${name} has no effect without ${needed}`] : [];
  });
  return [...alike, ...idle];
}

/** Suggests the setting that is meant by an unknown name; undefined if the name resembles none. */
function resembled(name: string): string | undefined {
  if (NAMES.includes(name)) return undefined;
  const plain = plainOf(name);
  const near = NAMES.find((known) => {
    const other = plainOf(known);
    // Short names have neighbours that are words of their own, such as HOST and POST.
    if (other.length < 7) return plain === other && name !== name.toLowerCase();
    return distance(plain, other) <= (other.length < 10 ? 1 : 2) || isPart(name, known);
  });
  if (near) return `did you mean ${near}?`;
  return /^(JWT|LATCHKEY)_/i.test(name) ? 'docs/settings.md lists them' : undefined;
}

const plainOf = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z\d]/g, '');

/** Whether one of two names of several words is the other and one word more: `JWT_SECRET`. */
function isPart(name: string, known: string): boolean {
  const [short = '', long = ''] = [name.toUpperCase(), known].sort((a, b) => a.length - b.length);
  return short.includes('_') && new RegExp(`^${short.replaceAll(/\W/g, '')}_[A-Z]+$`).test(long);
}

/** How many letters have to be put in, left out or changed to make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
