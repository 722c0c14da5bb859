import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Settings } from './settings.js';

/** What access tokens are signed and verified with; for HS* both keys are the same. */
export interface JwtKeys {
  algorithm: Settings['JWT_ALGORITHM'];
  signingKey: KeyObject;
  verifyKey: KeyObject;
}

/** A setting that is missing or wrong: its name and what was expected, never its value. */
export interface SettingIssue {
  name: string;
  expected: string;
}

type Source = Pick<
  Settings,
  'JWT_ALGORITHM' | 'JWT_SECRET_KEY' | 'JWT_PRIVATE_KEY' | 'JWT_PUBLIC_KEY'
>;

/**
 * Reads the keys of the settings and refuses what is too weak for the algorithm: HMAC secrets
 * shorter than the hash (RFC 7518, section 3.2), RSA keys under 2048 bits (section 3.3), keys of
 * another type or curve (section 3.4), and a public key that is not the private key's.
 */
export function readJwtKeys(settings: Source): JwtKeys | SettingIssue[] {
  const algorithm = settings.JWT_ALGORITHM;
  if (algorithm.startsWith('HS')) {
    const bytes = Buffer.from(settings.JWT_SECRET_KEY ?? '', 'utf8');
    const needed = Number(algorithm.slice(2)) / 8;
    if (bytes.length < needed || isMonotonous(bytes)) {
      const expected = `expected a random secret of at least ${needed} bytes for ${algorithm}`;
      return [{ name: 'JWT_SECRET_KEY', expected }];
    }
    const key = createSecretKey(bytes);
    return { algorithm, signingKey: key, verifyKey: key };
  }
  try {
    const signingKey = readPem('JWT_PRIVATE_KEY', settings.JWT_PRIVATE_KEY, algorithm, 'private');
    const derived = createPublicKey(signingKey);
    if (settings.JWT_PUBLIC_KEY !== undefined) {
      const given = readPem('JWT_PUBLIC_KEY', settings.JWT_PUBLIC_KEY, algorithm, 'public');
      if (!given.equals(derived)) {
        throw new WrongKey('JWT_PUBLIC_KEY', 'expected the public key of JWT_PRIVATE_KEY');
      }
    }
    return { algorithm, signingKey, verifyKey: derived };
  } catch (error) {
    if (error instanceof WrongKey) return [{ name: error.name, expected: error.message }];
    throw error;
  }
}

class WrongKey extends Error {
  constructor(
    override readonly name: string,
    expected: string,
  ) {
    super(expected);
  }
}

function readPem(
  name: string,
  value: string | undefined,
  algorithm: string,
  kind: 'private' | 'public',
): KeyObject {
  const curve = { ES256: 'prime256v1', ES384: 'secp384r1' }[algorithm];
  const type = curve ? `EC key on ${curve}` : 'RSA key of at least 2048 bits';
  const wrong = new WrongKey(name, `expected a PEM (or its path) of a ${kind} ${type}`);
  if (!value) throw wrong;
  let key: KeyObject;
  try {
    // Environments that cannot hold line breaks write them as \n.
    const pem = value.includes('-----BEGIN')
      ? value.replaceAll('\\n', '\n')
      : readFileSync(value, 'utf8');
    // createPublicKey would also take a private key; a private key in the public setting is a slip.
    if (kind === 'public' && pem.includes('PRIVATE KEY')) throw wrong;
    key = kind === 'private' ? createPrivateKey(pem) : createPublicKey(pem);
  } catch {
    throw wrong;
  }
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const fits = curve
    ? key.asymmetricKeyType === 'ec' && namedCurve === curve
    : key.asymmetricKeyType === 'rsa' && modulusLength >= 2048;
  if (!fits) throw wrong;
  return key;
}

/** Whether a "secret" is one or a few characters over and over. */
function isMonotonous(bytes: Buffer): boolean {
  return new Set(bytes).size < 5;
}
