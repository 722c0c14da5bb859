import { z } from 'zod';
import { isOneLine } from '../common/printable.js';
import { isUuid } from '../common/uuid.js';
import { hasPassword, readStoredHash } from '../passwords/stored-hash.js';
import { prepareDisplayName } from '../users/display-name.js';
import { prepareEmail } from '../users/email.js';
import { canonicalTag } from '../users/language-tag.js';

/** A record in the form of the schema, with a sentence for each part that was left out or changed. */
export interface NormalizedRecord {
  record: unknown;
  notes: string[];
}

/** Reads one value. Returns its meaning, or `undefined`, with a note if the user is imported without it. */
type Reader = (value: unknown, note: (sentence: string) => void) => unknown;

const READERS: Record<string, Reader> = {
  id: (value, note) => {
    if (isUuid(value)) return value;
    note('The id is not a UUID: the user gets a new one');
    return undefined;
  },
  username: (value) => (typeof value === 'number' ? String(value) : value),
  email: (value, note) => {
    if (typeof value === 'string' && prepareEmail(value).ok) return value;
    note('The email is not an e-mail address: the user is imported without it');
    return undefined;
  },
  passwordHash: (value, note) => {
    if (typeof value !== 'string') return value;
    const hash = value.trim();
    // Django and Unix write it like this.
    if (!hasPassword(hash)) return undefined;
    const read = readStoredHash(hash);
    if (read.ok || read.known) return hash;
    note(`${read.reason}: the user has to reset the password`);
    return undefined;
  },
  displayName: (value, note) => {
    const name = typeof value === 'string' ? prepareDisplayName(value) : undefined;
    if (name === undefined) note('The displayName is not a line of 1 to 64 characters: left out');
    return name;
  },
  locale: (value, note) => {
    // Unix and many frameworks write `de_AT.UTF-8`.
    const text = typeof value === 'string' ? value.trim().replace(/[.@].*$/, '') : '';
    const tag = text === '' ? undefined : canonicalTag(text.replaceAll('_', '-'));
    if (tag === undefined) note('The locale is not a language tag such as de-AT: left out');
    return tag;
  },
  disabledReason: (value, note) => {
    if (typeof value !== 'string' || isOneLine(value)) return value;
    note('The disabledReason has control characters: they became blanks');
    return value.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ');
  },
  verified: truth,
  disabled: truth,
  emailVerifiedAt: time,
  disabledAt: time,
  disabledUntil: time,
  createdAt: time,
};

/** In these fields, words such as `null` may be names, and do not count as empty values. */
const NAMES = ['username', 'displayName', 'disabledReason'];

/**
 * Reads the values of a record in the forms of other systems. Empty values may be `""`, `NULL`, `\N` or a
 * date of zeros. Booleans may be `TRUE` or `1`. Times may have a blank, or count seconds. A value in an
 * unknown form stays as it is, and the schema refuses it.
 */
export function normalizeRecord(value: unknown): NormalizedRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { record: value, notes: [] };
  }
  const notes: string[] = [];
  const entries = Object.entries(value).flatMap(([key, given]): [string, unknown][] => {
    const read = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
    if (!read) return [[key, given]];
    if (isNothing(given, NAMES.includes(key))) return [];
    const meant = read(given, (sentence) => notes.push(sentence));
    return meant === undefined ? [] : [[key, meant]];
  });
  return { record: Object.fromEntries(entries), notes };
}

function isNothing(value: unknown, isName: boolean): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== 'string') return false;
  if (isName) return value === '' || value === '\\N';
  return /^(|\\N|null|none|nil|undefined|n\/a|-|0000-00-00([ T]00:00:00)?)$/i.test(value.trim());
}

function truth(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const text = String(value).trim();
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true;
  return /^(false|f|no|n|off|0)$/i.test(text) ? false : value;
}

/** Returns a time as ISO 8601. A time without a zone is UTC. Other values stay unchanged. */
function time(value: unknown): unknown {
  const text = String(value).trim();
  if (typeof value === 'number' || /^\d{9,17}$/.test(text)) return fromEpoch(Number(text)) ?? value;
  if (typeof value !== 'string') return value;
  const form =
    /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;
  const [whole, day = '', minute = '00:00', second = ':00', fraction = '', zone = 'Z'] =
    form.exec(text) ?? [];
  if (whole === undefined) return value;
  const [, sign = '', hours = '', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = sign === '' ? 'Z' : `${sign}${hours}:${minutes}`;
  const iso = `${day}T${minute}${second}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`;
  return z.iso.datetime({ offset: true }).safeParse(iso).success ? iso : value;
}

/** Reads seconds, milliseconds or microseconds since 1970. Their size tells which. */
function fromEpoch(count: number): string | undefined {
  if (!Number.isFinite(count) || count < 0) return undefined;
  const millis = count < 1e11 ? count * 1000 : count < 1e14 ? count : count / 1000;
  return millis < 1e14 ? new Date(millis).toISOString() : undefined;
}
