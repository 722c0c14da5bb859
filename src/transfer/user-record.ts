import { z } from 'zod';
import { clock } from '../common/clock.js';
import { NO_PASSWORD, readStoredHash } from '../passwords/stored-hash.js';
import { prepareEmail } from '../users/email.js';
import type { User } from '../users/user.entity.js';
import { canonicalTag } from '../users/language-tag.js';
import { prepareUsername } from '../users/username.js';

/** The form of a role's name. */
export const ROLE = /^[\w:.-]{1,64}$/;

/** What an import stores of a user; without an id of the file's own, a new one is made. */
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
> & { id: string | undefined };

const time = (name: string) =>
  z
    .string({ error: `${name} is not a time such as 2026-01-31T12:00:00Z` })
    .refine((text) => z.iso.datetime({ offset: true }).safeParse(text).success, {
      error: `${name} is not a time such as 2026-01-31T12:00:00Z`,
      abort: true,
    })
    .transform((text) => new Date(text))
    .refine((date) => date.getTime() <= clock.now(), { error: `${name} is in the future` });

/** One user of a file, as {@link recordOf} and the documentation have it. */
const recordSchema = z
  .strictObject(
    {
      id: z.uuid({ error: 'The id is not a UUID' }).toLowerCase().nullish(),
      username: z.string({ error: 'There is no username' }).transform((username, ctx) => {
        const prepared = prepareUsername(username);
        if (prepared.ok) return { username: prepared.username, usernameKey: prepared.key };
        ctx.addIssue(prepared.reason);
        return z.NEVER;
      }),
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
      emailVerifiedAt: time('emailVerifiedAt').nullish(),
      displayName: z
        .string({ error: 'The displayName is not a text' })
        .refine((text) => text.length <= 256 && text.isWellFormed() && !/\p{Cc}/u.test(text), {
          error: 'The displayName has more than 256 characters, or control characters',
        })
        .nullish(),
      locale: z
        .string({ error: 'The locale is not a text' })
        .refine((text) => canonicalTag(text) !== undefined, {
          error: 'The locale is not a language tag such as de-AT',
        })
        .nullish(),
      passwordHash: z
        .string({ error: 'The passwordHash is not a text' })
        .superRefine((hash, ctx) => {
          const read = readStoredHash(hash);
          if (!read.ok && hash !== NO_PASSWORD) ctx.addIssue(read.reason);
        })
        .nullish(),
      roles: z
        .array(z.string().regex(ROLE, { error: 'The roles are not a list of names' }), {
          error: 'The roles are not a list of names',
        })
        .max(64, 'There are more than 64 roles')
        .nullish(),
      disabled: z.boolean({ error: 'disabled is neither true nor false' }).nullish(),
      disabledAt: time('disabledAt').nullish(),
      disabledUntil: time('disabledUntil').nullish(),
      disabledReason: z
        .string({ error: 'The disabledReason is not a text' })
        .refine((text) => text.length <= 255 && text.isWellFormed() && !/\p{Cc}/u.test(text), {
          error: 'The disabledReason has more than 255 characters, or control characters',
        })
        .nullish(),
      createdAt: time('createdAt').nullish(),
    },
    {
      error: (issue) => {
        if (issue.code !== 'unrecognized_keys') return 'The line is not a JSON object';
        if (issue.keys.includes('password')) {
          return 'Passwords are taken as hashes, in passwordHash, and never as they are';
        }
        return `Nothing is known of ${issue.keys.map((key) => JSON.stringify(key.slice(0, 64))).join(', ')}`;
      },
    },
  )
  .transform(({ username, email, ...record }): ImportedUser => {
    const now = clock.date();
    const address = email ?? { email: null, emailKey: null };
    const verifiedAt = record.emailVerifiedAt ?? (record.verified ? now : null);
    return {
      id: record.id ?? undefined,
      ...username,
      ...address,
      emailVerifiedAt: address.email === null ? null : verifiedAt,
      displayName: record.displayName ?? null,
      locale: record.locale ?? null,
      passwordHash: record.passwordHash ?? NO_PASSWORD,
      roles: [...new Set(record.roles)],
      disabledAt: record.disabledAt ?? (record.disabled ? now : null),
      disabledUntil: record.disabledUntil ?? null,
      disabledReason: record.disabledReason ?? null,
      createdAt: record.createdAt ?? now,
    };
  });

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

/** A user of a file, or a sentence that says why it is none; it repeats nothing of a hash. */
export type ReadRecord = { ok: true; user: ImportedUser } | { ok: false; reason: string };

/** Reads a record of a JSON line. */
export function readRecord(value: unknown): ReadRecord {
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return { ok: true, user: parsed.data };
  return { ok: false, reason: parsed.error.issues[0]?.message ?? '' };
}

/** Reads a record of a CSV line; an empty field counts as none. */
export function readRow(header: readonly string[], fields: readonly string[]): ReadRecord {
  const given = header.flatMap((name, i): [string, unknown][] => {
    const text = fields[i] ?? '';
    if (text === '') return [];
    if (name === 'roles') return [[name, text.split(/[\s,;]+/).filter(Boolean)]];
    if (name === 'disabled' || name === 'verified') {
      return [[name, { true: true, false: false }[text] ?? text]];
    }
    return [[name, text]];
  });
  return readRecord(Object.fromEntries(given));
}

/** A user as shown to an operator, and as an import reads it. */
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

/** What is shown of a user: all but the hash and what tokens are about. */
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
