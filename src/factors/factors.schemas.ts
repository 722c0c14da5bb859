import { z } from 'zod';
import { requiredString } from '../common/validation.js';
import { prepareDisplayName } from '../users/display-name.js';

/** The code of an authenticator app, as typed: six digits, of the ASCII script alone. Blanks are removed. */
export const codeSchema = requiredString('code')
  .transform((typed) => typed.replaceAll(/\s/g, ''))
  .refine((code) => /^[0-9]{6}$/.test(code), 'The code has to be six digits')
  .meta({ example: '123456' });

/** A user's name for a factor. */
export const factorNameSchema = requiredString('name')
  .meta({ maxLength: 64, example: 'My phone' })
  .transform((text, ctx) => {
    const name = prepareDisplayName(text);
    if (name !== undefined) return name;
    ctx.addIssue('The name has to be a line of 1 to 64 characters');
    return z.NEVER;
  });

/** The ways to prove a second factor. A request has exactly one of them. */
const proofs = {
  code: codeSchema.optional().describe('The code of an authenticator app; blanks are ignored'),
  recovery_code: requiredString('recovery_code').optional(),
  passkey: z
    .record(z.string(), z.unknown(), { error: 'The passkey has to be an object' })
    .optional()
    .describe('The answer of a passkey, as `PublicKeyCredential.toJSON()` gives it'),
};

/** A proof of a second factor. */
export type Proof = Partial<Record<keyof typeof proofs, unknown>>;

/** Checks that a body has exactly one of the fields `names`. */
const exactlyOne =
  (...names: string[]) =>
  (body: object, ctx: z.RefinementCtx): void => {
    const given = names.filter((name) => (body as Record<string, unknown>)[name] !== undefined);
    const [first = ''] = names;
    const missing = `Missing ${first} parameter`;
    const message = given.length === 0 ? missing : `Send only one of ${names.join(', ')}`;
    if (given.length !== 1) ctx.addIssue({ code: 'custom', message, path: [first] });
  };

/** Body of `POST /login/second-factor`. */
export const secondFactorSchema = z
  .object({ challenge: requiredString('challenge'), ...proofs })
  .superRefine(exactlyOne(...Object.keys(proofs)))
  .meta({ title: 'SecondFactor', example: { challenge: '…', code: '123456' } });

/** Body of `POST /me/step-up`. */
export const stepUpSchema = z
  .object({ current_password: requiredString('current_password').optional(), ...proofs })
  .superRefine(exactlyOne('current_password', ...Object.keys(proofs)))
  .meta({ title: 'StepUp', example: { code: '123456' } });

/** Body of `PATCH /me/factors/:id`. */
export const renameSchema = z.object({ name: factorNameSchema }).meta({ title: 'FactorName' });

/** A factor in the form for its user. */
export const factorSchema = z
  .object({
    id: z.uuid(),
    kind: z.string().meta({ example: 'totp' }),
    name: z.string(),
    created_at: z.string().meta({ format: 'date-time' }),
    last_used_at: z.string().meta({ format: 'date-time' }).nullable(),
  })
  .meta({ title: 'Factor' });

/** Answer of `GET /me/factors`. */
export const factorsSchema = z
  .object({ factors: z.array(factorSchema), recovery_codes_left: z.int() })
  .meta({ title: 'Factors' });

/** New recovery codes. They are shown once. */
export const recoveryCodesSchema = z
  .object({ recovery_codes: z.array(z.string()) })
  .meta({ title: 'RecoveryCodes', example: { recovery_codes: ['7K3M-0QRS-TVWX-YZ12'] } });

export type SecondFactorBody = z.infer<typeof secondFactorSchema>;
export type StepUpBody = z.infer<typeof stepUpSchema>;
export type RenameBody = z.infer<typeof renameSchema>;
export type FactorView = z.infer<typeof factorSchema>;
export type FactorsView = z.infer<typeof factorsSchema>;
export type RecoveryCodesView = z.infer<typeof recoveryCodesSchema>;
