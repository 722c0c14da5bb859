import { z } from 'zod';
import { requiredString, requiredText } from '../common/validation.js';
import { prepareDisplayName } from '../users/display-name.js';
import { prepareEmail } from '../users/email.js';
import { canonicalTag, LONGEST_TAG } from '../users/language-tag.js';
import type { User } from '../users/user.entity.js';
import { prepareUsername } from '../users/username.js';

/** A username, with its unique form. */
export const usernameSchema = requiredText('username').transform((username, ctx) => {
  const prepared = prepareUsername(username);
  if (prepared.ok) return { username: prepared.username, usernameKey: prepared.key };
  ctx.addIssue(prepared.reason);
  return z.NEVER;
});

/** An e-mail address, with its unique form. */
export const emailSchema = z
  .string({
    error: ({ input }) =>
      input === undefined ? 'Missing email parameter' : 'The email has to be a string',
  })
  .transform((text, ctx) => {
    const prepared = prepareEmail(text);
    if (prepared.ok) return { email: prepared.email, emailKey: prepared.key };
    ctx.addIssue(prepared.reason);
    return z.NEVER;
  });

/** What a user wants to be called. */
export const displayNameSchema = z
  .string({ error: 'The displayName has to be a string or null' })
  .transform((text, ctx) => {
    const name = prepareDisplayName(text);
    if (name !== undefined) return name;
    ctx.addIssue('The displayName has to be a line of 1 to 64 characters');
    return z.NEVER;
  });

/** The language of a user's mails. */
export const localeSchema = z
  .string({ error: 'The locale has to be a string or null' })
  .transform((text, ctx) => {
    const tag = canonicalTag(text);
    if (tag !== undefined && tag.length <= LONGEST_TAG) return tag;
    ctx.addIssue('The locale has to be a language tag such as en or de-AT');
    return z.NEVER;
  });

/** Body of `POST /register`. Unknown keys are dropped, so no request can set a role. */
export const registerSchema = z.object({
  username: usernameSchema,
  password: requiredString('password'),
  email: emailSchema.nullish().transform((email) => email ?? { email: null, emailKey: null }),
  displayName: displayNameSchema.nullish().transform((name) => name ?? null),
  locale: localeSchema.nullish().transform((tag) => tag ?? null),
});

/** Body of `POST /login`; `username` also takes the e-mail address. */
export const loginSchema = z.object({
  username: requiredText('username'),
  password: requiredString('password'),
});

/** Body of `POST /refresh`. */
export const refreshSchema = z.object({ refresh_token: requiredString('refresh_token') });

/** Query of `POST /logout`: which of the user's sessions end. */
export const logoutSchema = z.object({
  scope: z
    .enum(['local', 'global', 'others'], { error: 'The scope is local, global or others' })
    .default('local'),
});

/** What is shown of a user. */
export const userSchema = z.object({
  id: z.uuid(),
  username: z.string(),
  email: z.string().nullable(),
  roles: z.array(z.string()),
  createdAt: z.string().meta({ format: 'date-time' }),
});

/** What a sign-in answers with. */
export const tokensSchema = z.object({
  jwt: z.string(),
  token_type: z.string().describe('`JWT_HEADER_TYPE`, the word before `jwt` in the header'),
  expires_in: z.int().describe('Seconds until `jwt` expires'),
  refresh_token: z
    .string()
    .optional()
    .describe('Absent if the token travels as a cookie, to browsers with `AUTH_COOKIES=on`'),
});

/** Answer of `GET /protected`. */
export const helloSchema = z.object({ hello_from: z.string() });

/** Every answer that is not a success. */
export const errorSchema = z.object({
  msg: z.string(),
  code: z.string(),
  errors: z.array(z.object({ path: z.string(), msg: z.string() })).optional(),
});

export type RegisterBody = z.infer<typeof registerSchema>;
export type RefreshBody = z.infer<typeof refreshSchema>;
export type LogoutQuery = z.infer<typeof logoutSchema>;
export type LoginBody = z.infer<typeof loginSchema>;
export type UserView = z.infer<typeof userSchema>;
export type TokensView = z.infer<typeof tokensSchema>;
/** A session's tokens, before the refresh token may move to a cookie. */
export type Tokens = Required<TokensView>;

/** A user as shown to the user. */
export function viewOf({ id, username, email, roles, createdAt }: User): UserView {
  return { id, username, email, roles, createdAt: createdAt.toISOString() };
}
