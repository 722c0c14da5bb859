import { SETTINGS } from './settings.js';

type Given = Record<string, string | undefined>;

/** Each setting's name, and its letters and digits alone. */
const NAMES = new Map(Object.keys(SETTINGS).map((name) => [name, plainOf(name)]));

/** The most letters by which a name may differ from the one that is meant. */
const FARTHEST = 2;

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
  if (NAMES.has(name)) return undefined;
  const plain = plainOf(name);
  for (const [known, other] of NAMES) {
    // Short names have neighbours that are words of their own, such as HOST and POST.
    const near =
      other.length < 7
        ? plain === other && name !== name.toLowerCase()
        : distance(plain, other) <= (other.length < 10 ? 1 : FARTHEST) || isPart(name, known);
    if (near) return `did you mean ${known}?`;
  }
  return /^(JWT|LATCHKEY)_/i.test(name) ? 'docs/settings.md lists them' : undefined;
}

function plainOf(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z\d]/g, '');
}

/** Whether one of two names of several words is the other and one word more: `JWT_SECRET`. */
function isPart(name: string, known: string): boolean {
  const [short = '', long = ''] = [name.toUpperCase(), known].sort((a, b) => a.length - b.length);
  return (
    short.includes('_') &&
    long.startsWith(`${short}_`) &&
    /^[A-Z]+$/.test(long.slice(short.length + 1))
  );
}

/**
 * Returns how many letters have to be put in, left out or changed to make `b` of `a` (Levenshtein), or
 * infinity if there are more than {@link FARTHEST}. Every name of the environment is compared with every
 * setting at the start, and most pairs differ in the first letters.
 */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > FARTHEST) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    let least = i + 1;
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const here = Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1);
      next.push(here);
      least = Math.min(least, here);
    }
    if (least > FARTHEST) return Infinity;
    row = next;
  }
  return row[b.length] ?? Infinity;
}
