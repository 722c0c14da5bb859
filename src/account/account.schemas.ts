import { z } from 'zod';
import {
  displayNameSchema,
  localeSchema,
  userSchema,
  usernameSchema,
  viewOf,
} from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';
import type { User } from '../users/user.entity.js';

/** The present password; may be left out within 15 minutes of the sign-in. */
const currentPassword = requiredString('current_password').optional();

/** Body of `PUT /me/password`. */
export const changePasswordSchema = z
  .object({
    current_password: currentPassword,
    new_password: requiredString('new_password'),
  })
  .meta({
    title: 'PasswordChange',
    example: {
      current_password: 'correct horse battery staple',
      new_password: 'a quite different sentence',
    },
  });

/** Body of `DELETE /me`, which may be left out with its only parameter. */
export const deleteAccountSchema = z
  .object({ current_password: currentPassword })
  .optional()
  .transform((body) => body ?? {});

/** Body of `PATCH /me`; a missing field stays as it is, null empties it. A new name asks for a step-up. */
export const updateProfileSchema = z
  .object({
    current_password: currentPassword,
    username: usernameSchema.optional(),
    displayName: displayNameSchema.nullish(),
    locale: localeSchema.nullish(),
  })
  .refine(({ current_password: _, ...body }) => Object.keys(body).length > 0, {
    error: 'Nothing to change: give username, displayName or locale',
    path: ['username'],
  })
  .meta({ title: 'ProfileChange', example: { displayName: 'Ada Lovelace', locale: 'en' } });

/** The signed-in user's own account. */
export const accountSchema = userSchema
  .extend({
    emailVerified: z.boolean(),
    displayName: z.string().nullable(),
    locale: z.string().nullable(),
  })
  .meta({ title: 'Account' });

/** One of the sessions of `GET /me/sessions`. */
export const sessionSchema = z
  .object({
    id: z.uuid(),
    createdAt: z.string().meta({ format: 'date-time' }),
    lastUsedAt: z.string().meta({ format: 'date-time' }),
    expiresAt: z.string().meta({ format: 'date-time' }),
    device: z.string().describe('In words, from the user agent'),
    address: z.string(),
    amr: z.array(z.string()).describe('How the user signed in (RFC 8176), such as `pwd otp mfa`'),
    acr: z.string().meta({ example: 'urn:latchkey:aal1' }),
    current: z.boolean().describe('Whether this request comes from it'),
  })
  .meta({ title: 'Session' });

/** Answer of `GET /me/sessions`. */
export const sessionsSchema = z
  .object({ sessions: z.array(sessionSchema) })
  .meta({ title: 'Sessions' });

export type ChangePasswordBody = z.infer<typeof changePasswordSchema>;
export type DeleteAccountBody = z.infer<typeof deleteAccountSchema>;
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
