import { z } from 'zod';
import { emailSchema } from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';

/** A link's token, or the code of the same mail and whose it is. */
const presented = z.object({
  token: z.string({ error: 'The token has to be a string' }).max(128).optional(),
  username: z.string({ error: 'The username has to be a string' }).max(1024).optional(),
  code: z.string({ error: 'The code has to be a string' }).max(32).optional(),
});

/** Body of the routes that take a link's token, or `username` (or e-mail address) and `code`. */
export const presentedSchema = presented
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
export const resetSchema = presentedSchema.and(z.object({ password: requiredString('password') }));

/** Body of `POST /password/forgot` and `POST /email/verification`. */
export const addressSchema = z
  .object({ email: emailSchema })
  .meta({ title: 'Address', example: { email: 'ada@example.org' } });

/** Answer to who asks for mail. */
export const acceptedSchema = z.object({ msg: z.string() }).meta({ title: 'Accepted' });

export type PresentedBody = z.infer<typeof presentedSchema>;
export type ResetBody = z.infer<typeof resetSchema>;
export type AddressBody = z.infer<typeof addressSchema>;
export type AcceptedView = z.infer<typeof acceptedSchema>;
