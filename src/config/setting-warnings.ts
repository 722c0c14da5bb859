import { REMOVED_SETTINGS } from './removed-settings.js';
import { settingNames, settingOf } from './setting.js';

type Given = Readonly<Record<string, string | undefined>>;

/** Names that other programs use for our settings, and that are spelt too differently to resemble them. */
const ALIASES: Readonly<Record<string, string>> = {
  JWT_ACCESS_TOKEN_EXPIRES: 'JWT_EXPIRES',
  SMTP_HOST: 'SMTP_URL',
};

/** The most letters by which a name may differ from the setting that it stands for. */
const MAX_DISTANCE = 2;

/**
 * Returns a sentence about each given name without effect: an earlier setting, a name that resembles a setting,
 * or a setting without the one that it needs. No sentence contains a value.
 */
export function settingWarnings(given: Given): string[] {
  const names = Object.keys(given).filter((name) => given[name]);
  const plainNames = new Map(settingNames().map((name) => [name, plainOf(name)]));
  const unknown = names.flatMap((name) => {
    if (settingOf(name)) return [];
    if (Object.hasOwn(REMOVED_SETTINGS, name)) {
      return [`${name} is no longer a setting: ${REMOVED_SETTINGS[name] ?? ''}`];
    }
    const advice = adviceFor(name, plainNames);
    return advice === undefined ? [] : [`${name} is not a setting: ${advice}`];
  });
  const idle = names.flatMap((name) => {
    const needed = settingOf(name)?.needs;
    return needed !== undefined && !given[needed]
      ? [`${name} has no effect without ${needed}`]
      : [];
  });
  return [...unknown, ...idle];
}

/** Suggests the setting that an unknown name stands for; undefined if the name resembles no setting. */
function adviceFor(name: string, plainNames: ReadonlyMap<string, string>): string | undefined {
  const alias = ALIASES[name.toUpperCase()];
  if (alias !== undefined) return `did you mean ${alias}?`;
  const plain = plainOf(name);
  for (const [known, other] of plainNames) {
    // A short name has neighbours that are words of their own, such as HOST and POST.
    const near =
      other.length < 7
        ? plain === other && name !== name.toLowerCase()
        : distance(plain, other) <= (other.length < 10 ? 1 : MAX_DISTANCE) || isPart(name, known);
    if (near) return `did you mean ${known}?`;
  }
  return /^(JWT|LATCHKEY)_/i.test(name) ? 'docs/settings.md lists all settings' : undefined;
}

const plainOf = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z\d]/g, '');

/** Returns whether one of two names of several words is the other with one more word: `JWT_SECRET`. */
function isPart(name: string, known: string): boolean {
  const [short = '', long = ''] = [name.toUpperCase(), known].sort((a, b) => a.length - b.length);
  return (
    short.includes('_') &&
    long.startsWith(`${short}_`) &&
    /^[A-Z]+$/.test(long.slice(short.length + 1))
  );
}

/**
 * Returns the number of insertions, deletions and changes of letters that turn `a` into `b` (Levenshtein), or
 * infinity above {@link MAX_DISTANCE}. The start compares every name of the environment with every setting, and
 * most pairs differ in the first letters.
 */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Infinity;
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
    if (least > MAX_DISTANCE) return Infinity;
    row = next;
  }
  return row[b.length] ?? Infinity;
}
