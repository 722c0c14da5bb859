import { z } from 'zod';
import { clock } from '../common/clock.js';
import { timeSchema } from '../common/validation.js';
import { readStoredHash, unusableHash } from '../passwords/stored-hash.js';
import { prepareEmail } from '../users/email.js';
import { isRoleName, MAX_ROLES } from '../users/role-name.js';
import type { User } from '../users/user.entity.js';
import { prepareUsername } from '../users/username.js';
import { deriveName } from './derived-name.js';
import { normalizeRecord } from './normalize-record.js';

/** The stored values of an imported user. Without an id in the file, a new one is made. */
export type ImportedUser = Pick<
  User,
  | 'username'
  | 'usernameKey'
  | 'email'
  | 'emailKey'
  | 'emailVerifiedAt'
  | 'displayName'
  | 'locale'
  | 'passwordHash'
  | 'roles'
  | 'disabledAt'
  | 'disabledUntil'
  | 'disabledReason'
  | 'createdAt'
> & {
  id: string | undefined;
  /** The source of a derived username, if the file gives no possible one. */
  derivedFrom: string | undefined;
};

const time = (name: string) => timeSchema(`${name} is not a time such as 2026-01-31T12:00:00Z`);

/** How far the clock of the machine that wrote a time may be ahead, in milliseconds. */
const MAX_AHEAD = 86_400_000;

const pastTime = (name: string) =>
  time(name).refine((date) => date.getTime() <= clock.now() + MAX_AHEAD, {
    error: `${name} is in the future`,
  });

/** One user of a file, as documented; see {@link recordOf}. */
const recordSchema = z
  .strictObject(
    {
      id: z.uuid({ error: 'The id is not a UUID' }).toLowerCase().nullish(),
      username: z.string({ error: 'The username is not a text' }).nullish(),
      email: z
        .string({ error: 'The email is not a text' })
        .transform((email, ctx) => {
          const prepared = prepareEmail(email);
          if (prepared.ok) return { email: prepared.email, emailKey: prepared.key };
          ctx.addIssue(prepared.reason);
          return z.NEVER;
        })
        .nullish(),
      verified: z.boolean({ error: 'verified is neither true nor false' }).nullish(),
      emailVerifiedAt: pastTime('emailVerifiedAt').nullish(),
      displayName: z.string().nullish(),
      locale: z.string().nullish(),
      passwordHash: z
        .string({ error: 'The passwordHash is not a text' })
        .superRefine((hash, ctx) => {
          const read = readStoredHash(hash);
          if (!read.ok) ctx.addIssue(read.reason);
        })
        .nullish(),
      roles: z
        .array(z.string().refine(isRoleName, { error: 'The roles are not a list of names' }), {
          error: 'The roles are not a list of names',
        })
        .max(MAX_ROLES, `There are more than ${MAX_ROLES} roles`)
        .nullish(),
      disabled: z.boolean({ error: 'disabled is neither true nor false' }).nullish(),
      disabledAt: pastTime('disabledAt').nullish(),
      disabledUntil: time('disabledUntil').nullish(),
      disabledReason: z
        .string({ error: 'The disabledReason is not a text' })
        .max(255, { error: 'The disabledReason has more than 255 characters' })
        .nullish(),
      createdAt: pastTime('createdAt').nullish(),
    },
    {
      error: (issue) => {
        if (issue.code !== 'unrecognized_keys') return 'The line is not a JSON object';
        if (issue.keys.includes('password')) {
          return 'A plain password is not accepted: give its hash in passwordHash';
        }
        return `Unknown keys: ${issue.keys.map((key) => JSON.stringify(key.slice(0, 64))).join(', ')}`;
      },
    },
  )
  .transform(({ username, email, ...record }, ctx): ImportedUser => {
    const now = clock.date();
    const address = email ?? addressIn(username) ?? { email: null, emailKey: null };
    const name = nameOf(
      username,
      address.emailKey ?? (record.id && `user-${record.id.slice(0, 8)}`),
    );
    if (typeof name === 'string') {
      ctx.addIssue(name);
      return z.NEVER;
    }
    const verifiedAt = record.emailVerifiedAt ?? (record.verified ? now : null);
    return {
      id: record.id ?? undefined,
      ...name,
      ...address,
      emailVerifiedAt: address.email === null ? null : verifiedAt,
      displayName: record.displayName ?? null,
      locale: record.locale ?? null,
      passwordHash: record.passwordHash ?? unusableHash(),
      roles: [...new Set(record.roles)],
      disabledAt: record.disabledAt ?? (record.disabled ? now : null),
      disabledUntil: record.disabledUntil ?? null,
      disabledReason: record.disabledReason ?? null,
      createdAt: record.createdAt ?? now,
    };
  });

/** Returns the address in a username: other systems use the address as the name. */
function addressIn(username: string | null | undefined) {
  const prepared = prepareEmail(username ?? '');
  return prepared.ok ? { email: prepared.email, emailKey: prepared.key } : undefined;
}

/** Returns the user's name, or one derived from `source`, or else a sentence that refuses the user. */
function nameOf(
  username: string | null | undefined,
  source: string | null | undefined,
): Pick<ImportedUser, 'username' | 'usernameKey' | 'derivedFrom'> | string {
  const prepared = prepareUsername(username ?? '');
  if (prepared.ok) {
    return { username: prepared.username, usernameKey: prepared.key, derivedFrom: undefined };
  }
  if (source === null || source === undefined) {
    return username ? prepared.reason : 'There is neither a username nor an email';
  }
  return { ...deriveName(username || source), derivedFrom: source };
}

/** The columns that a CSV file may have. */
export const COLUMNS: readonly string[] = [
  'id',
  'username',
  'email',
  'verified',
  'emailVerifiedAt',
  'displayName',
  'locale',
  'passwordHash',
  'roles',
  'disabled',
  'disabledAt',
  'disabledUntil',
  'disabledReason',
  'createdAt',
];

/** A user of a file, or the sentence that refuses the line. The sentence never repeats a hash. */
export type ReadRecord =
  { ok: true; user: ImportedUser; notes: string[] } | { ok: false; reason: string };

/** Reads a record of a JSON line. */
export function readRecord(value: unknown): ReadRecord {
  const { record, notes } = normalizeRecord(value);
  const parsed = recordSchema.safeParse(record);
  if (parsed.success) return { ok: true, user: parsed.data, notes };
  return { ok: false, reason: parsed.error.issues[0]?.message ?? '' };
}

/** Reads a record of a CSV line. An empty field counts as missing. */
export function readRow(header: readonly string[], fields: readonly string[]): ReadRecord {
  const given = header.flatMap((name, i): [string, unknown][] => {
    const text = fields[i] ?? '';
    if (text.trim() === '' || (name === 'roles' && /^(\\N|null)$/i.test(text))) return [];
    if (name === 'roles') return [[name, text.split(/[\s,;]+/).filter(Boolean)]];
    return [[name, text]];
  });
  return readRecord(Object.fromEntries(given));
}

/** A user in the form for operators, which an import can read. */
export interface UserRecord {
  id: string;
  username: string;
  email: string | null;
  emailVerifiedAt: string | null;
  displayName: string | null;
  locale: string | null;
  roles: string[];
  disabledAt: string | null;
  disabledUntil: string | null;
  disabledReason: string | null;
  createdAt: string;
}

/** Returns a user's values without the hash and the state of tokens. */
export function recordOf(user: User): UserRecord {
  const { id, username, email, displayName, locale, roles } = user;
  return {
    id,
    username,
    email,
    emailVerifiedAt: user.emailVerifiedAt?.toISOString() ?? null,
    displayName,
    locale,
    roles,
    disabledAt: user.disabledAt?.toISOString() ?? null,
    disabledUntil: user.disabledUntil?.toISOString() ?? null,
    disabledReason: user.disabledReason,
    createdAt: user.createdAt.toISOString(),
  };
}
