import { z } from 'zod';
import { emailSchema } from '../auth/auth.schemas.js';
import { requiredString } from '../common/validation.js';

/** Body of `POST /login/mail`. */
export const mailSignInSchema = z
  .object({ email: emailSchema })
  .meta({ title: 'MailSignIn', example: { email: 'ada@example.org' } });

/** Answer of `POST /login/mail`, the same for every address. */
export const mailChallengeSchema = z
  .object({
    challenge: z.string().describe('Belongs to the mailed link and code; keep it in this client'),
    expires_in: z.int().describe('Seconds until it expires'),
  })
  .meta({ title: 'MailChallenge', example: { challenge: '…', expires_in: 600 } });

/** Body of `POST /login/mail/verify`. */
export const mailProofSchema = z
  .object({
    challenge: requiredString('challenge'),
    code: requiredString('code').optional().describe('Eight digits; blanks are ignored'),
    token: requiredString('token').optional().describe('The query `token` of the mailed link'),
  })
  .refine(({ code, token }) => code !== undefined || token !== undefined, {
    error: 'Missing code parameter',
    path: ['code'],
  })
  .refine(({ code, token }) => code === undefined || token === undefined, {
    error: 'Send only one of code, token',
    path: ['code'],
  })
  .meta({ title: 'MailProof', example: { challenge: '…', code: '12345678' } });

export type MailSignInBody = z.infer<typeof mailSignInSchema>;
export type MailChallengeView = z.infer<typeof mailChallengeSchema>;
export type MailProofBody = z.infer<typeof mailProofSchema>;
