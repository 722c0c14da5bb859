import { z } from 'zod';
import { requiredString, requiredText } from '../common/validation.js';
import { prepareDisplayName } from '../users/display-name.js';
import { EMAIL_MAX, prepareEmail } from '../users/email.js';
import { canonicalTag, MAX_TAG_LENGTH } from '../users/language-tag.js';
import type { User } from '../users/user.entity.js';
import { prepareUsername, USERNAME_MAX } from '../users/username.js';

/** A username, with its unique form. */
export const usernameSchema = requiredText('username')
  .meta({ maxLength: USERNAME_MAX })
  .transform((username, ctx) => {
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
  .meta({ format: 'email', maxLength: EMAIL_MAX })
  .transform((text, ctx) => {
    const prepared = prepareEmail(text);
    if (prepared.ok) return { email: prepared.email, emailKey: prepared.key };
    ctx.addIssue(prepared.reason);
    return z.NEVER;
  });

/** A name for display. */
export const displayNameSchema = z
  .string({ error: 'The displayName has to be a string or null' })
  .meta({ minLength: 1, maxLength: 64 })
  .transform((text, ctx) => {
    const name = prepareDisplayName(text);
    if (name !== undefined) return name;
    ctx.addIssue('The displayName has to be a line of 1 to 64 characters');
    return z.NEVER;
  });

/** The language of a user's mails. */
export const localeSchema = z
  .string({ error: 'The locale has to be a string or null' })
  .meta({ maxLength: MAX_TAG_LENGTH, example: 'de-AT' })
  .transform((text, ctx) => {
    const tag = canonicalTag(text);
    if (tag !== undefined && tag.length <= MAX_TAG_LENGTH) return tag;
    ctx.addIssue('The locale has to be a language tag such as en or de-AT');
    return z.NEVER;
  });

/** Body of `POST /register`. Unknown keys are dropped, so no request can set a role. */
export const registerSchema = z
  .object({
    username: usernameSchema,
    password: requiredString('password'),
    email: emailSchema.nullish().transform((email) => email ?? { email: null, emailKey: null }),
    displayName: displayNameSchema.nullish().transform((name) => name ?? null),
    locale: localeSchema.nullish().transform((tag) => tag ?? null),
  })
  .meta({
    title: 'Registration',
    example: {
      username: 'ada',
      password: 'correct horse battery staple',
      email: 'ada@example.org',
    },
  });

/** Body of `POST /register` with `IDENTIFIER=email`. */
export const addressRegistrationSchema = z
  .object({
    email: emailSchema,
    password: registerSchema.shape.password,
    displayName: registerSchema.shape.displayName,
    locale: registerSchema.shape.locale,
  })
  .meta({
    title: 'Registration',
    example: { email: 'ada@example.org', password: 'correct horse battery staple' },
  });

/** Answer to a request for a mail. */
export const acceptedSchema = z.object({ msg: z.string() }).meta({ title: 'Accepted' });

/** Body of `POST /login`; `username` also takes the e-mail address (see `IDENTIFIER`). */
export const loginSchema = z
  .object({
    username: requiredText('username'),
    password: requiredString('password'),
  })
  .meta({ title: 'Login', example: { username: 'ada', password: 'correct horse battery staple' } });

/** Body of `POST /refresh`. */
export const refreshSchema = z
  .object({ refresh_token: requiredString('refresh_token') })
  .meta({ title: 'Refresh' });

/** Query of `POST /logout`: which of the user's sessions end. */
export const logoutSchema = z.object({
  scope: z
    .enum(['local', 'global', 'others'], { error: 'The scope is local, global or others' })
    .default('local'),
});

/** A user in the form of the API. */
export const userSchema = z
  .object({
    id: z.uuid(),
    username: z.string(),
    email: z.string().nullable(),
    roles: z.array(z.string()),
    createdAt: z.string().meta({ format: 'date-time' }),
  })
  .meta({
    title: 'User',
    example: {
      id: '3f2b9c1e-5d64-4a7e-9b0a-1c2d3e4f5a6b',
      username: 'ada',
      email: 'ada@example.org',
      roles: [],
      createdAt: '2030-01-31T12:00:00.000Z',
    },
  });

/** The answer to a sign-in. */
export const tokensSchema = z
  .object({
    jwt: z.string(),
    token_type: z.string().describe('`JWT_HEADER_TYPE`, the word before `jwt` in the header'),
    expires_in: z.int().describe('Seconds until `jwt` expires'),
    refresh_token: z
      .string()
      .optional()
      .describe(
        'Absent if the token travels as a cookie, to browsers with `AUTH_COOKIES=on`, and after a step-up',
      ),
  })
  .meta({
    title: 'Tokens',
    example: { jwt: 'eyJ…', token_type: 'Bearer', expires_in: 900, refresh_token: '…' },
  });

/** The refusal of a sign-in by one factor if the account has a second one. */
export const secondFactorRequiredSchema = z
  .object({
    msg: z.string(),
    code: z.enum(['second_factor_required']),
    challenge: z.string().describe('Send it to `POST /login/second-factor`'),
    methods: z.array(z.string()).describe('`totp`, `passkey`, `recovery_code`'),
    expires_in: z.int().describe('Seconds until the challenge expires'),
  })
  .meta({
    title: 'SecondFactorRequired',
    example: {
      msg: 'Prove a second factor to sign in',
      code: 'second_factor_required',
      challenge: '…',
      methods: ['totp', 'recovery_code'],
      expires_in: 600,
    },
  });

/** Answer of `GET /protected`. */
export const helloSchema = z
  .object({ hello_from: z.string() })
  .meta({ title: 'Hello', example: { hello_from: 'ada' } });

export type RegisterBody = z.infer<typeof registerSchema>;
export type AddressRegistrationBody = z.infer<typeof addressRegistrationSchema>;
export type AcceptedView = z.infer<typeof acceptedSchema>;
export type RefreshBody = z.infer<typeof refreshSchema>;
export type LogoutQuery = z.infer<typeof logoutSchema>;
export type LoginBody = z.infer<typeof loginSchema>;
export type UserView = z.infer<typeof userSchema>;
export type TokensView = z.infer<typeof tokensSchema>;
/** A session's tokens, before the refresh token may move to a cookie. */
export type Tokens = Required<TokensView>;

/** Returns a user in the form for that user. */
export function viewOf({ id, username, email, roles, createdAt }: User): UserView {
  return { id, username, email, roles, createdAt: createdAt.toISOString() };
}
