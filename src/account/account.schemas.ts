import { z } from 'zod';
import { emailSchema, userSchema, usernameSchema, viewOf } from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';
import { prepareDisplayName } from '../users/display-name.js';
import { canonicalTag, LONGEST_TAG } from '../users/language-tag.js';
import type { User } from '../users/user.entity.js';

/** The present password; may be left out within 15 minutes of the sign-in. */
const currentPassword = requiredString('current_password').optional();

/** Body of `PUT /me/password`. */
export const changePasswordSchema = z.object({
  current_password: currentPassword,
  new_password: requiredString('new_password'),
});

/** Body of `DELETE /me`, which may be left out with its only parameter. */
export const deleteAccountSchema = z
  .object({ current_password: currentPassword })
  .optional()
  .transform((body) => body ?? {});

/** Body of `PUT /me/email`. */
export const changeEmailSchema = z.object({
  email: emailSchema,
  current_password: currentPassword,
});

/** Body of `PATCH /me`; what is not named stays as it is, null empties. */
export const updateProfileSchema = z
  .object({
    username: usernameSchema.optional(),
    displayName: z
      .string({ error: 'The displayName has to be a string or null' })
      .transform((text, ctx) => {
        const name = prepareDisplayName(text);
        if (name !== undefined) return name;
        ctx.addIssue('The displayName has to be a line of 1 to 64 characters');
        return z.NEVER;
      })
      .nullable()
      .optional(),
    locale: z
      .string({ error: 'The locale has to be a string or null' })
      .transform((text, ctx) => {
        const tag = canonicalTag(text);
        if (tag !== undefined && tag.length <= LONGEST_TAG) return tag;
        ctx.addIssue('The locale has to be a language tag such as en or de-AT');
        return z.NEVER;
      })
      .nullable()
      .optional(),
  })
  .refine((body) => Object.keys(body).length > 0, {
    error: 'Nothing to change: name username, displayName or locale',
    path: ['username'],
  });

/** The signed-in user's own account. */
export const accountSchema = userSchema.extend({
  emailVerified: z.boolean(),
  displayName: z.string().nullable(),
  locale: z.string().nullable(),
});

/** One of the sessions of `GET /me/sessions`. */
export const sessionSchema = z.object({
  id: z.uuid(),
  createdAt: z.string().meta({ format: 'date-time' }),
  lastUsedAt: z.string().meta({ format: 'date-time' }),
  expiresAt: z.string().meta({ format: 'date-time' }),
  device: z.string().describe('In words, from the user agent'),
  address: z.string(),
  current: z.boolean().describe('Whether this request comes from it'),
});

/** Answer of `GET /me/sessions`. */
export const sessionsSchema = z.object({ sessions: z.array(sessionSchema) });

export type ChangePasswordBody = z.infer<typeof changePasswordSchema>;
export type DeleteAccountBody = z.infer<typeof deleteAccountSchema>;
export type ChangeEmailBody = z.infer<typeof changeEmailSchema>;
export type UpdateProfileBody = z.infer<typeof updateProfileSchema>;
export type AccountView = z.infer<typeof accountSchema>;
export type SessionsView = z.infer<typeof sessionsSchema>;

/** An account as shown to its user. */
export function accountViewOf(user: User): AccountView {
  return {
    ...viewOf(user),
    emailVerified: user.emailVerifiedAt !== null,
    displayName: user.displayName,
    locale: user.locale,
  };
}
