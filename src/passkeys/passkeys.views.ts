import { z } from 'zod';
import type { Passkey } from './passkey.entity.js';

/** The time for which a browser asks its user, in milliseconds. */
export const TIMEOUT = 300_000;

/** The accepted signature algorithms (IANA COSE Algorithms): ES256, EdDSA and RS256, the preferred ones first. */
export const ALGORITHMS = [-7, -8, -257];

const descriptor = z.object({
  type: z.literal('public-key'),
  id: z.string(),
  transports: z.array(z.string()),
});

/** Answer of `POST /me/passkeys/options`, for `PublicKeyCredential.parseCreationOptionsFromJSON()`. */
export const creationOptionsSchema = z
  .object({
    challenge: z.string(),
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
    timeout: z.int(),
    attestation: z.literal('none'),
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.object({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification: z.literal('required'),
    }),
    extensions: z.object({ credProps: z.literal(true) }),
  })
  .meta({ title: 'PasskeyCreationOptions' });

/** Answer of `POST /login/passkey/options`, for `PublicKeyCredential.parseRequestOptionsFromJSON()`. */
export const requestOptionsSchema = z
  .object({
    challenge: z.string(),
    rpId: z.string(),
    timeout: z.int(),
    userVerification: z.literal('required'),
    allowCredentials: z.array(descriptor),
  })
  .meta({ title: 'PasskeyRequestOptions' });

/** Answer of `POST /me/passkeys`. */
export const newPasskeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    recovery_codes: z
      .array(z.string())
      .optional()
      .describe("Shown once, if it is the user's first factor"),
  })
  .meta({ title: 'NewPasskey' });

/** A passkey in the form for its user. */
export const passkeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    created_at: z.string().meta({ format: 'date-time' }),
    last_used_at: z.string().meta({ format: 'date-time' }).nullable(),
    synced: z.boolean().describe('Whether other devices of the user have it too'),
    credential_id: z.string(),
    rp_id: z.string(),
  })
  .meta({ title: 'Passkey' });

/** Answer of `GET /me/passkeys`, with all that a page needs for `PublicKeyCredential.signalAllAcceptedCredentials()`. */
export const passkeysSchema = z
  .object({
    passkeys: z.array(passkeySchema),
    rp_id: z.string(),
    user_handle: z.string().nullable(),
  })
  .meta({ title: 'Passkeys' });

/** Answer of `DELETE /me/passkeys/:id`, for `PublicKeyCredential.signalUnknownCredential()`. */
export const removedPasskeySchema = z
  .object({ credential_id: z.string(), rp_id: z.string() })
  .meta({ title: 'RemovedPasskey' });

/** Answer of `/.well-known/webauthn` (WebAuthn, section 5.11). */
export const relatedOriginsSchema = z
  .object({ origins: z.array(z.string()) })
  .meta({ title: 'RelatedOrigins' });

export type CreationOptions = z.infer<typeof creationOptionsSchema>;
export type RequestOptions = z.infer<typeof requestOptionsSchema>;
export type NewPasskeyView = z.infer<typeof newPasskeySchema>;
export type PasskeyView = z.infer<typeof passkeySchema>;
export type PasskeysView = z.infer<typeof passkeysSchema>;
export type RemovedPasskeyView = z.infer<typeof removedPasskeySchema>;
export type RelatedOriginsView = z.infer<typeof relatedOriginsSchema>;

/** Returns a passkey in the form for its user. */
export const passkeyViewOf = (passkey: Passkey): PasskeyView => ({
  id: passkey.id,
  name: passkey.name,
  created_at: passkey.createdAt.toISOString(),
  last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
  synced: passkey.backedUp,
  credential_id: passkey.credentialId,
  rp_id: passkey.rpId,
});

/** Returns the description of a passkey by which a browser finds its authenticator. */
export const descriptorOf = ({ credentialId, transports }: Passkey) => ({
  type: 'public-key' as const,
  id: credentialId,
  transports: transports.split(' ').filter(Boolean),
});
