import { z } from 'zod';
import { emailSchema } from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';

/** The token of a link, or the code of the same mail and the account it is for. */
const fields = z.object({
  token: z.string({ error: 'The token has to be a string' }).max(128).optional(),
  username: z.string({ error: 'The username has to be a string' }).max(1024).optional(),
  code: z.string({ error: 'The code has to be a string' }).max(32).optional(),
});

/** Body of the routes that take a link's token, or `username` (or e-mail address) and `code`. */
export const linkOrCodeSchema = fields
  .refine(({ token, code }) => token !== undefined || code !== undefined, {
    error: 'Missing token parameter',
    path: ['token'],
  })
  .refine(({ token, username }) => token !== undefined || username !== undefined, {
    error: 'Missing username parameter',
    path: ['username'],
  })
  .meta({ title: 'LinkOrCode', example: { username: 'ada', code: '12345678' } });

/** Body of `POST /password/reset`. */
export const resetSchema = linkOrCodeSchema.and(z.object({ password: requiredString('password') }));

/** Body of `PUT /me/email`. */
export const changeEmailSchema = z
  .object({
    email: emailSchema,
    // May be left out within 15 minutes of the sign-in.
    current_password: requiredString('current_password').optional(),
  })
  .meta({ title: 'EmailChange', example: { email: 'new@example.org' } });

/** Body of `POST /password/forgot` and `POST /email/verification`. */
export const addressSchema = z
  .object({ email: emailSchema })
  .meta({ title: 'Address', example: { email: 'ada@example.org' } });

/** Answer to a request for a mail. */
export const acceptedSchema = z.object({ msg: z.string() }).meta({ title: 'Accepted' });

export type LinkOrCodeBody = z.infer<typeof linkOrCodeSchema>;
export type ChangeEmailBody = z.infer<typeof changeEmailSchema>;
export type ResetBody = z.infer<typeof resetSchema>;
export type AddressBody = z.infer<typeof addressSchema>;
export type AcceptedView = z.infer<typeof acceptedSchema>;
