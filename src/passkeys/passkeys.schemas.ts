import { z } from 'zod';
import { requiredString } from '../common/validation.js';
import { factorNameSchema } from '../factors/factors.schemas.js';

/** The longest credential id, 1023 bytes (WebAuthn, section 4), in base64url. */
const MAX_ID = 1364;

/** The ways to reach an authenticator (WebAuthn, section 5.8.4, and `cable` of older browsers). */
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'];

const error = 'This is not the answer of a passkey';

/** Bytes in base64url. Each text of bytes is accepted in one spelling, so no changed text has the same bytes. */
const bytes = (max = 65_536) =>
  z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text, { error });

const credential = {
  id: bytes(MAX_ID),
  rawId: bytes(MAX_ID),
  type: z.literal('public-key', { error }),
};

/** The answer to creation options, as `PublicKeyCredential.toJSON()` gives it. */
export const attestationSchema = z
  .object(
    {
      ...credential,
      response: z.object(
        {
          clientDataJSON: bytes(),
          attestationObject: bytes(),
          transports: z.array(z.string({ error }), { error }).max(32, { error }).optional(),
        },
        { error },
      ),
      clientExtensionResults: z
        .object(
          { credProps: z.object({ rk: z.boolean({ error }).optional() }, { error }).optional() },
          { error },
        )
        .optional(),
    },
    { error: ({ input }) => (input === undefined ? 'Missing response parameter' : error) },
  )
  .meta({ title: 'PasskeyAttestation' });

/** The answer to request options, as `PublicKeyCredential.toJSON()` gives it. */
export const assertionSchema = z
  .object(
    {
      ...credential,
      response: z.object(
        {
          clientDataJSON: bytes(),
          authenticatorData: bytes(),
          signature: bytes(),
          userHandle: bytes(86).nullish(),
        },
        { error },
      ),
    },
    { error: ({ input }) => (input === undefined ? 'Missing response parameter' : error) },
  )
  .meta({ title: 'PasskeyAssertion' });

/** Body of `POST /me/passkeys`. */
export const registerPasskeySchema = z
  .object({ response: attestationSchema, name: factorNameSchema.optional() })
  .meta({ title: 'RegisterPasskey' });

/** Body of `PATCH /me/passkeys/:id`. */
export const renamePasskeySchema = z
  .object({ name: factorNameSchema })
  .meta({ title: 'PasskeyName' });

/** Body of `POST /login/passkey/options`. */
export const passkeyOptionsSchema = z
  .object({
    challenge: requiredString('challenge')
      .optional()
      .describe('The challenge of a sign-in that waits for its second factor'),
  })
  .meta({ title: 'PasskeyOptions', example: {} });

/** Body of `POST /login/passkey`. */
export const passkeySignInSchema = z
  .object({ response: assertionSchema })
  .meta({ title: 'PasskeySignIn' });

/** The ways by which an authenticator says that it can be reached, without unknown ones, in one text. */
export const transportsOf = (given: string[] = []): string =>
  TRANSPORTS.filter((known) => given.includes(known)).join(' ');

export type Attestation = z.infer<typeof attestationSchema>;
export type Assertion = z.infer<typeof assertionSchema>;
export type RegisterPasskeyBody = z.infer<typeof registerPasskeySchema>;
export type RenamePasskeyBody = z.infer<typeof renamePasskeySchema>;
export type PasskeyOptionsBody = z.infer<typeof passkeyOptionsSchema>;
export type PasskeySignInBody = z.infer<typeof passkeySignInSchema>;
