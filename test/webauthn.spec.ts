import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { decodeAttestationObject, parseAuthenticatorData } from '@simplewebauthn/server/helpers';
import { Authenticator, FLAGS } from './support/webauthn-authenticator.js';
import { type Assertion, assertionSchema } from '../src/passkeys/passkeys.schemas.js';
import { verifyAssertion, verifyAttestation } from '../src/passkeys/webauthn.js';

const party = { id: 'example.org', origins: ['https://example.org'] };
const [origin = ''] = party.origins;
const challenge = 'A'.repeat(43);
const creation = { challenge, rp: { id: party.id }, user: { id: 'AAAA' } };
const request = { challenge, rpId: party.id };

/** The code of the refusal, or `accepted`. */
const outcome = (verified: Promise<unknown>): Promise<string> =>
  verified.then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  );

async function registered(flags?: number) {
  const authenticator = new Authenticator(origin, flags);
  const { value } = await verifyAttestation(party, authenticator.create(creation) as never);
  return { authenticator, passkey: value };
}

/** Flips one bit of a text of bytes. */
function flipped(text: string, bit: number): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString('base64url');
}
const bitsOf = (text: string) => Buffer.from(text, 'base64url').length * 8;

/** Numbers below `limit`, the same ones in each run. */
function* sample(seed: string, limit: number, count: number) {
  for (let index = 0; index < count; index++) {
    yield createHash('sha256').update(`${seed} ${index}`).digest().readUInt32BE() % limit;
  }
}

it('accepts no answer with one flipped bit', async () => {
  const { authenticator, passkey } = await registered();
  const answer = authenticator.get(request);
  expect(await outcome(verifyAssertion(party, answer as never, passkey))).toBe('accepted');
  const accepted: string[] = [];
  for (const field of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
    const text = answer.response[field];
    const bits = [...Array(64).keys(), ...sample(field, bitsOf(text), 100)];
    for (const bit of bits) {
      const response = { ...answer.response, [field]: flipped(text, bit) };
      const changed = { ...answer, response } as never;
      const result = await outcome(verifyAssertion(party, changed, passkey));
      if (result !== 'passkey_invalid') accepted.push(`${field} ${bit}: ${result}`);
    }
  }
  expect(accepted).toEqual([]);
});

it('accepts each answer in one spelling', async () => {
  const { authenticator } = await registered();
  const answer = authenticator.get(request);
  expect(assertionSchema.safeParse(answer).success).toBe(true);
  for (const field of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
    const text = answer.response[field];
    for (const other of [`${text}=`, `${text}\n`, ` ${text}`, `${text}$`, `${text}+/`]) {
      const response = { ...answer.response, [field]: other };
      expect(assertionSchema.safeParse({ ...answer, response }).success).toBe(false);
    }
  }
});

it.each<[string, object]>([
  ['without user verification', { flags: FLAGS.userPresent }],
  ['without a user', { flags: FLAGS.userVerified }],
  [
    'that became syncable',
    { flags: FLAGS.userPresent | FLAGS.userVerified | FLAGS.backupEligible },
  ],
  ['that is synced and cannot be', { flags: FLAGS.userPresent | FLAGS.userVerified | 16 }],
  ['for another relying party', { rpId: 'example.com' }],
  ['from another origin', { origin: 'https://example.org.evil.example' }],
  ['from the same host without TLS', { origin: 'http://example.org' }],
  ['from another port', { origin: 'https://example.org:8443' }],
  ['from inside another page', { clientData: { crossOrigin: true } }],
  ['from inside a page that it names', { clientData: { topOrigin: 'https://evil.example' } }],
  ['to creation options', { clientData: { type: 'webauthn.create' } }],
  ['without a challenge', { clientData: { challenge: undefined } }],
])('refuses an answer %s', async (_what, changes) => {
  const { authenticator, passkey } = await registered();
  const answer = authenticator.get(request, changes) as never;
  expect(await outcome(verifyAssertion(party, answer, passkey))).toBe('passkey_invalid');
});

it.each<[string, object]>([
  ['without user verification', { flags: FLAGS.userPresent }],
  ['for another relying party', { rpId: 'example.com' }],
  ['from another origin', { origin: 'https://evil.example' }],
  ['from inside another page', { clientData: { crossOrigin: true } }],
  ['to request options', { clientData: { type: 'webauthn.get' } }],
  // The library would fetch the lists of revoked certificates that a certificate names.
  ['with a certificate', { attestation: packed('x5c') }],
  ['with a wrong signature of its own', { attestation: packed('sig') }],
  ['of an unknown format', { attestation: { fmt: 'other', attStmt: Buffer.from([0xa0]) } }],
  [
    'with a statement nested without end',
    {
      attestation: { fmt: 'none', attStmt: Buffer.alloc(40_000, 0x81) },
    },
  ],
])('refuses a new passkey %s', async (_what, changes) => {
  const answer = new Authenticator(origin).create(creation, changes) as never;
  expect(await outcome(verifyAttestation(party, answer))).toBe('passkey_invalid');
});

/** A packed attestation whose statement has `alg` and one more entry, an empty list or an empty signature. */
function packed(key: string) {
  const value = key === 'x5c' ? [0x80] : [0x40];
  const name = [0x60 + key.length, ...Buffer.from(key)];
  const attStmt = Buffer.from([0xa2, 0x63, ...Buffer.from('alg'), 0x26, ...name, ...value]);
  return { fmt: 'packed', attStmt };
}

it('refuses a passkey that is not discoverable, or has the id of another one', async () => {
  const answer = new Authenticator(origin).create(creation);
  const clientExtensionResults = { credProps: { rk: false } };
  const kept = { ...answer, clientExtensionResults } as never;
  expect(await outcome(verifyAttestation(party, kept))).toBe('passkey_invalid');
  const renamed = { ...answer, id: 'AAAA', rawId: 'AAAA' } as never;
  expect(await outcome(verifyAttestation(party, renamed))).toBe('passkey_invalid');
});

interface Vector {
  name: string;
  registration: Record<
    'challenge' | 'credentialId' | 'clientDataJSON' | 'attestationObject',
    string
  >;
  authentication: Record<
    'challenge' | 'authenticatorData' | 'clientDataJSON' | 'signature',
    string
  >;
}
/** The examples of the specification (https://www.w3.org/TR/webauthn-3/#sctn-test-vectors), in hexadecimal. */
const { vectors } = JSON.parse(
  readFileSync(new URL('./support/webauthn-test-vectors.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] };
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const text = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');
// The other vectors are about what Latchkey refuses: no user verification, frames, certificates, other algorithms.
const VERIFIED = 4;

it.each(vectors.map((vector) => [vector.name, vector] as const))(
  "WebAuthn's test vector: %s",
  async (name, { registration, authentication }) => {
    const id = text(registration.credentialId);
    const named = { id, rawId: id, type: 'public-key' as const };
    const attestation = decodeAttestationObject(bytes(registration.attestationObject));
    const data = parseAuthenticatorData(attestation.get('authData'));
    const plain = !/crossOrigin|topOrigin/.test(name);
    const made = verifyAttestation(party, {
      ...named,
      response: {
        clientDataJSON: text(registration.clientDataJSON),
        attestationObject: text(registration.attestationObject),
      },
    });
    const ownKey = /No Attestation|Self Attestation|long credential/.test(name);
    const good = plain && ownKey && data.flags.uv;
    expect(await outcome(made)).toBe(good ? 'accepted' : 'passkey_invalid');
    const passkey = {
      credentialId: id,
      publicKey: Buffer.from(data.credentialPublicKey ?? []).toString('base64url'),
      backupEligible: data.flags.be,
    };
    const answer: Assertion = {
      ...named,
      response: {
        clientDataJSON: text(authentication.clientDataJSON),
        authenticatorData: text(authentication.authenticatorData),
        signature: text(authentication.signature),
      },
    };
    const verified = (bytes(authentication.authenticatorData)[32] ?? 0) & VERIFIED;
    const signed = verifyAssertion(party, answer, passkey);
    const expected = plain && verified !== 0 && !/Ed448|ES384|ES512/.test(name);
    expect(await outcome(signed)).toBe(expected ? 'accepted' : 'passkey_invalid');
    if (expected) expect((await signed).challenge).toBe(text(authentication.challenge));
  },
);
