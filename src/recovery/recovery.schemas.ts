import { z } from 'zod';
import { emailSchema } from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';
import { linkOrCodeSchema } from '../mailed-links/link-or-code.js';

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

export type ChangeEmailBody = z.infer<typeof changeEmailSchema>;
export type ResetBody = z.infer<typeof resetSchema>;
export type AddressBody = z.infer<typeof addressSchema>;
