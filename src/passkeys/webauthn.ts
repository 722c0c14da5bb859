import type { AttestationObject } from '@simplewebauthn/server/helpers';
import { ApiError } from '../common/api-error.js';
import { isEcdsaSignature } from './ecdsa-signature.js';
import type { Passkey } from './passkey.entity.js';
import type { Assertion, Attestation } from './passkeys.schemas.js';
import { ALGORITHMS } from './passkeys.views.js';
import type { RelyingParty } from './relying-party.js';

/** The parts of a new credential that its authenticator has signed or named. */
export type NewCredential = Pick<
  Passkey,
  'credentialId' | 'publicKey' | 'signCount' | 'aaguid' | 'backupEligible' | 'backedUp'
>;

/** An answer with a right signature. Whether its challenge is ours is not known yet. */
export interface Signed<T> {
  challenge: string;
  value: T;
}

type Party = Pick<RelyingParty, 'id' | 'origins'>;

let loading: Promise<Library> | undefined;

interface Library {
  server: typeof import('@simplewebauthn/server');
  helpers: typeof import('@simplewebauthn/server/helpers');
}

/** Loads the library for WebAuthn at its first use. It takes 27 MB, which a server without passkeys saves. */
export function loadWebauthn(): Promise<Library> {
  return (loading ??= load());
}

/** Loads the parts one after another: Jest cannot link two at once on Node 22. */
async function load(): Promise<Library> {
  const server = await import('@simplewebauthn/server');
  const helpers = await import('@simplewebauthn/server/helpers');
  return { server, helpers };
}

/** Returns the refusal of an answer; the cause is for the log alone. */
export const invalid = (cause?: unknown): ApiError => new ApiError('passkey_invalid', { cause });

/**
 * Checks the answer to creation options (WebAuthn, section 7.1), all but its challenge.
 *
 * @throws ApiError passkey_invalid
 */
export async function verifyAttestation(
  party: Party,
  answer: Attestation,
): Promise<Signed<NewCredential>> {
  const { server, helpers } = await loadWebauthn();
  const challenge = challengeOf(answer.response.clientDataJSON);
  if (answer.clientExtensionResults?.credProps?.rk === false) throw invalid();
  try {
    const { clientDataJSON, attestationObject } = answer.response;
    const attested = { clientDataJSON, attestationObject };
    expectNoCertificates(helpers.decodeAttestationObject(bytesOf(attestationObject)));
    const { verified, registrationInfo: info } = await server.verifyRegistrationResponse({
      response: { ...answer, response: attested, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: party.origins,
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified || info.credential.id !== answer.id) throw invalid();
    return {
      challenge,
      value: {
        credentialId: info.credential.id,
        publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
        signCount: info.credential.counter,
        aaguid: info.aaguid,
        backupEligible: info.credentialDeviceType === 'multiDevice',
        backedUp: info.credentialBackedUp,
      },
    };
  } catch (error) {
    throw invalid(error);
  }
}

/**
 * Checks the answer to request options (WebAuthn, section 7.2), all but its challenge and its counter.
 *
 * @throws ApiError passkey_invalid
 */
export async function verifyAssertion(
  party: Party,
  answer: Assertion,
  passkey: Pick<Passkey, 'credentialId' | 'publicKey' | 'backupEligible'>,
): Promise<Signed<{ signCount: number; backedUp: boolean }>> {
  const { server, helpers } = await loadWebauthn();
  const challenge = challengeOf(answer.response.clientDataJSON);
  try {
    const publicKey = bytesOf(passkey.publicKey);
    const key = helpers.decodeCredentialPublicKey(publicKey);
    const isEcdsa = helpers.cose.isCOSEPublicKeyEC2(key);
    if (isEcdsa && !isEcdsaSignature(bytesOf(answer.response.signature))) throw invalid();
    const { verified, authenticationInfo: info } = await server.verifyAuthenticationResponse({
      response: { ...answer, clientExtensionResults: {} } as never,
      expectedChallenge: challenge,
      expectedOrigin: party.origins,
      expectedRPID: party.id,
      requireUserVerification: true,
      // The library throws if a counter has not risen. One statement decides that later.
      credential: { id: passkey.credentialId, publicKey, counter: 0 },
    });
    const eligible = info.credentialDeviceType === 'multiDevice';
    if (!verified || eligible !== passkey.backupEligible) throw invalid();
    return { challenge, value: { signCount: info.newCounter, backedUp: info.credentialBackedUp } };
  } catch (error) {
    throw invalid(error);
  }
}

/**
 * Returns the challenge that a browser says was signed. Refuses an answer from inside a page of another origin,
 * which could have led the user to a click.
 *
 * @throws ApiError passkey_invalid
 */
function challengeOf(clientDataJSON: string): string {
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString());
  } catch (error) {
    throw invalid(error);
  }
  const { challenge, crossOrigin, topOrigin } = (data ?? {}) as Record<string, unknown>;
  const embedded = (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined;
  if (typeof challenge !== 'string' || embedded) throw invalid();
  return challenge;
}

/**
 * Accepts no attestation but `none`, and that by the credential's own key. Latchkey asks for none, so others come
 * from no browser. The library would ask servers that an attacker's certificate names for revocations.
 */
function expectNoCertificates(attestation: AttestationObject): void {
  const format = attestation.get('fmt');
  const statement = attestation.get('attStmt');
  const isSelf = format === 'packed' && statement.get('x5c') === undefined;
  if (format !== 'none' && !isSelf) throw invalid();
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
