import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import {
  algorithmOf,
  ANY_KEY,
  fits,
  hmacKey,
  listedKeys,
  pemKey,
  WrongKey,
} from './key-material.js';
import type { SettingIssue } from './setting.js';
import type { CoreValues } from './settings.js';
import type { JwtAlgorithm } from './tokens.settings.js';

/** A key that verifies tokens, by the one algorithm it is for (RFC 8725, section 3.1). */
export interface VerifyKey {
  algorithm: JwtAlgorithm;
  key: KeyObject;
}

/** The keys that sign and verify access tokens, and the secrets from which other keys are derived. */
export interface JwtKeys {
  algorithm: JwtAlgorithm;
  signingKey: KeyObject;
  /** The current key first, then the keys that only verify. Each is there once. */
  verifyKeys: readonly [VerifyKey, ...VerifyKey[]];
  /** Secrets to derive other keys from: the current one first, then those still accepted. */
  secrets: readonly [KeyObject, ...KeyObject[]];
}

type Source = Pick<
  CoreValues,
  | 'JWT_ALGORITHM'
  | 'JWT_SECRET_KEY'
  | 'JWT_PRIVATE_KEY'
  | 'JWT_PUBLIC_KEY'
  | 'JWT_PREVIOUS_SECRET_KEYS'
  | 'JWT_PREVIOUS_PUBLIC_KEYS'
>;

/**
 * Reads the keys of the settings. Refuses a key that is too weak for its algorithm, or of another type or
 * curve. Also refuses a public key that is not the private key's, and one key under two algorithms.
 */
export function readJwtKeys(settings: Source): JwtKeys | SettingIssue[] {
  const issues: SettingIssue[] = [];
  const attempt = <T>(name: keyof Source, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WrongKey)) throw error;
      issues.push({ name, expected: error.message });
      return undefined;
    }
  };
  const algorithm = attempt('JWT_PRIVATE_KEY', () => signingAlgorithm(settings));
  if (!algorithm) return issues;
  issues.push(...unusedKeys(settings, algorithm));
  const current = currentKeys(settings, algorithm, attempt);
  const secrets = attempt('JWT_PREVIOUS_SECRET_KEYS', () => previousSecrets(settings, algorithm));
  const publics = attempt('JWT_PREVIOUS_PUBLIC_KEYS', () => previousPublics(settings, algorithm));
  if (!current || !secrets || !publics || issues.length > 0) return issues;

  const verifyKeys: [VerifyKey, ...VerifyKey[]] = [current.verifyKey];
  const add = (name: keyof Source, keys: VerifyKey[]) =>
    attempt(name, () => {
      for (const added of keys) {
        const same = verifyKeys.find((other) => isSame(other.key, added.key));
        if (same && same.algorithm !== added.algorithm) {
          const both = `${same.algorithm} and ${added.algorithm}`;
          throw new WrongKey(`expected a key for one algorithm: one is for both ${both}`);
        }
        if (!same) verifyKeys.push(added);
      }
    });
  add('JWT_PREVIOUS_SECRET_KEYS', secrets.verifyKeys);
  add('JWT_PREVIOUS_PUBLIC_KEYS', publics);
  if (issues.length > 0) return issues;
  return {
    algorithm,
    signingKey: current.signingKey,
    verifyKeys,
    secrets: [...current.secrets, ...secrets.secrets],
  };
}

/** Whether tokens are signed with `JWT_SECRET_KEY`. */
export const usesSecret = ({
  JWT_ALGORITHM: algorithm,
  JWT_PRIVATE_KEY: pair,
}: Pick<Source, 'JWT_ALGORITHM' | 'JWT_PRIVATE_KEY'>): boolean =>
  algorithm?.startsWith('HS') ?? pair === undefined;

/** `JWT_ALGORITHM`, or else the one of the private key. @throws WrongKey */
function signingAlgorithm(settings: Source): JwtAlgorithm {
  const { JWT_ALGORITHM: named, JWT_PRIVATE_KEY: pem } = settings;
  if (named !== undefined) return named;
  if (usesSecret(settings)) return 'HS256';
  const algorithm = algorithmOf(pemKey(pem, 'private'), 'RS256');
  if (algorithm) return algorithm;
  throw new WrongKey(`expected a private ${ANY_KEY}`);
}

/** Refuses key pairs beside an algorithm that signs with the secret: they would have no effect. */
function unusedKeys(settings: Source, algorithm: JwtAlgorithm): SettingIssue[] {
  if (!algorithm.startsWith('HS')) return [];
  return (['JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY'] as const)
    .filter((name) => settings[name] !== undefined)
    .map((name) => ({
      name,
      expected:
        name === 'JWT_PUBLIC_KEY' && settings.JWT_PRIVATE_KEY === undefined
          ? `${algorithm} does not use it: set JWT_PRIVATE_KEY too, or remove it`
          : `${algorithm} does not use it: remove it, or the setting JWT_ALGORITHM`,
    }));
}

interface Current extends Pick<JwtKeys, 'signingKey' | 'secrets'> {
  verifyKey: VerifyKey;
}

type Attempt = <T>(name: keyof Source, read: () => T) => T | undefined;

function currentKeys(
  { JWT_SECRET_KEY, JWT_PRIVATE_KEY, JWT_PUBLIC_KEY }: Source,
  algorithm: JwtAlgorithm,
  attempt: Attempt,
): Current | undefined {
  const secretBytes = Buffer.from(JWT_SECRET_KEY ?? '', 'utf8');
  if (algorithm.startsWith('HS')) {
    const key = attempt('JWT_SECRET_KEY', () => hmacKey(secretBytes, algorithm));
    return key && { signingKey: key, verifyKey: { algorithm, key }, secrets: [key] };
  }
  const secret =
    JWT_SECRET_KEY === undefined
      ? undefined
      : attempt('JWT_SECRET_KEY', () => hmacKey(secretBytes, 'HS256'));
  const signingKey = attempt('JWT_PRIVATE_KEY', () =>
    pemKey(JWT_PRIVATE_KEY, 'private', algorithm),
  );
  if (!signingKey) return undefined;
  const key = createPublicKey(signingKey);
  attempt('JWT_PUBLIC_KEY', () => {
    if (JWT_PUBLIC_KEY !== undefined && !pemKey(JWT_PUBLIC_KEY, 'public', algorithm).equals(key)) {
      throw new WrongKey('expected the public key of JWT_PRIVATE_KEY');
    }
  });
  // Without a secret the private key serves as one. It stays accepted if a secret is set later.
  const own = secretOf(signingKey);
  return { signingKey, verifyKey: { algorithm, key }, secrets: secret ? [secret, own] : [own] };
}

/**
 * Returns the previous (or next) secrets. Each verifies tokens by its algorithm, and derives keys. The PEM of
 * a private key only derives keys, as it did while no secret was set beside it.
 */
function previousSecrets({ JWT_PREVIOUS_SECRET_KEYS = '' }: Source, signing: JwtAlgorithm) {
  const usual = signing.startsWith('HS') ? signing : 'HS256';
  const verifyKeys: VerifyKey[] = [];
  const secrets = listedKeys(JWT_PREVIOUS_SECRET_KEYS).map(({ algorithm = usual, text }, index) =>
    ofEntry(index, () => {
      if (text.includes('-----BEGIN')) return secretOf(pemKey(text, 'private'));
      if (!algorithm.startsWith('HS')) throw new WrongKey('expected a secret of HS*');
      const key = hmacKey(Buffer.from(text, 'utf8'), algorithm);
      verifyKeys.push({ algorithm, key });
      return key;
    }),
  );
  return { verifyKeys, secrets };
}

/** The public keys of before (or next). An EC key's curve says its algorithm; RSA may have several. */
function previousPublics(
  { JWT_PREVIOUS_PUBLIC_KEYS = '' }: Source,
  signing: JwtAlgorithm,
): VerifyKey[] {
  const forRsa = /^[RP]S/.test(signing) ? signing : 'RS256';
  return listedKeys(JWT_PREVIOUS_PUBLIC_KEYS).map(({ algorithm: named, text }, index) =>
    ofEntry(index, () => {
      const key = pemKey(text, 'public', named);
      const algorithm = named ?? algorithmOf(key, forRsa);
      if (!algorithm || !fits(key, algorithm)) {
        throw new WrongKey(`expected a public ${ANY_KEY}`);
      }
      return { algorithm, key };
    }),
  );
}

/** Says which entry of a list is wrong. */
function ofEntry<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WrongKey)) throw error;
    const hint = 'a key with a comma or a space in it needs a JSON list';
    throw new WrongKey(`${error.message}, in entry ${index + 1} (${hint})`);
  }
}

/** KeyObject.equals() of an EC and an RSA key leaves an error behind that the next read stumbles over. */
const isSame = (one: KeyObject, other: KeyObject): boolean =>
  JSON.stringify(one.export({ format: 'jwk' })) === JSON.stringify(other.export({ format: 'jwk' }));

const secretOf = (privateKey: KeyObject): KeyObject =>
  createSecretKey(privateKey.export({ format: 'der', type: 'pkcs8' }));
