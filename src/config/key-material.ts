import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readTextFile } from '../common/text-file.js';
import { JWT_ALGORITHMS, type JwtAlgorithm } from './tokens.settings.js';

/** A key that is missing, cannot be read or is too weak. The message says what was expected. */
export class WrongKey extends Error {
  override readonly name = 'WrongKey';
}

/**
 * The secret of an HMAC algorithm: at least as long as its hash (RFC 7518, section 3.2).
 *
 * @throws WrongKey
 */
export function hmacKey(bytes: Buffer, algorithm: JwtAlgorithm): KeyObject {
  const needed = Number(algorithm.slice(2)) / 8;
  // One or a few characters over and over are no secret.
  if (bytes.length < needed || new Set(bytes).size < 5) {
    throw new WrongKey(`expected a random secret of at least ${needed} bytes for ${algorithm}`);
  }
  return createSecretKey(bytes);
}

/** The curves of ES* (RFC 7518, section 3.4), as OpenSSL calls them. */
export const CURVES: Partial<Record<JwtAlgorithm, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/** Describes the keys of an asymmetric algorithm in words. */
function formOf(algorithm: JwtAlgorithm): string {
  if (algorithm === 'EdDSA') return 'Ed25519 key';
  const curve = CURVES[algorithm];
  return curve ? `EC key on ${curve}` : 'RSA key of at least 2048 bits';
}

/** The keys that may stand without an algorithm, in words. */
export const ANY_KEY =
  'RSA key of at least 2048 bits, EC key on P-256, P-384 or P-521, or Ed25519 key';

/**
 * Reads a PEM, given itself or by its path. A private key in the place of a public one is a slip, and
 * refused.
 *
 * @throws WrongKey
 */
export function pemKey(
  value: string | undefined,
  kind: 'private' | 'public',
  algorithm?: JwtAlgorithm,
): KeyObject {
  const form = algorithm ? formOf(algorithm) : ANY_KEY;
  const wrong = new WrongKey(`expected a PEM (or its path) of a ${kind} ${form}`);
  if (!value) throw wrong;
  let key: KeyObject;
  try {
    // Environments that cannot hold line breaks write them as \n; some keep the quotes of the file.
    const pem = value.includes('-----BEGIN')
      ? value.replace(/^"(.*)"$/s, '$1').replaceAll('\\n', '\n')
      : readTextFile(value);
    if (kind === 'public' && pem.includes('PRIVATE KEY')) throw wrong;
    key = kind === 'private' ? createPrivateKey(pem) : createPublicKey(pem);
  } catch {
    throw wrong;
  }
  if (algorithm && !fits(key, algorithm)) throw wrong;
  return key;
}

/**
 * Whether a key may be used with an algorithm: the curve of RFC 7518, section 3.4, or RSA of at least
 * 2048 bits (section 3.3), with no exponent under 65537 and not made by a broken generator.
 */
export function fits(key: KeyObject, algorithm: JwtAlgorithm): boolean {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (algorithm === 'EdDSA') return key.asymmetricKeyType === 'ed25519';
  if (algorithm.startsWith('ES')) {
    return key.asymmetricKeyType === 'ec' && namedCurve === CURVES[algorithm];
  }
  return (
    /^[RP]S/.test(algorithm) &&
    key.asymmetricKeyType === 'rsa' &&
    modulusLength >= 2048 &&
    publicExponent >= 65_537n &&
    !isRoca(key)
  );
}

/** Returns the algorithm of a key: that of its curve, or `forRsa`; undefined if the key fits no algorithm. */
export function algorithmOf(key: KeyObject, forRsa: JwtAlgorithm): JwtAlgorithm | undefined {
  const known = ['ES256', 'ES384', 'ES512', 'EdDSA', forRsa] as const;
  return known.find((algorithm) => fits(key, algorithm));
}

/** Primes modulo which the keys of CVE-2017-15361 are powers of 65537; of others, one in 2^27 is. */
const ROCA_PRIMES = [
  11n,
  13n,
  17n,
  19n,
  37n,
  53n,
  61n,
  71n,
  73n,
  79n,
  97n,
  103n,
  107n,
  109n,
  127n,
  151n,
  157n,
];

/** Tells whether an RSA key comes from the generator of CVE-2017-15361 (ROCA), whose keys can be factored. */
function isRoca(key: KeyObject): boolean {
  const { n = '' } = key.export({ format: 'jwk' });
  const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
  return ROCA_PRIMES.every((prime) => {
    for (let power = 1n, i = 0n; i < prime; i++, power = (power * 65_537n) % prime) {
      if (modulus % prime === power) return true;
    }
    return false;
  });
}

/** An entry of a list of keys, with its algorithm if one is written before it. */
export interface ListedKey {
  algorithm: JwtAlgorithm | undefined;
  text: string;
}

/**
 * Returns the entries of a list of keys. Commas or white space separate them, and a PEM is one entry. An
 * entry with a comma or white space in it is written in a JSON list of strings. `RS512:` or the like before
 * an entry names its algorithm.
 *
 * @throws WrongKey
 */
export function listedKeys(list: string): ListedKey[] {
  return entries(list.trim()).map((entry) => {
    const [, name, rest = ''] = /^([A-Z]{2}\d{3}|EdDSA):(.+)$/s.exec(entry) ?? [];
    const algorithm = JWT_ALGORITHMS.find((known) => known === name);
    return algorithm ? { algorithm, text: rest } : { algorithm, text: entry };
  });
}

function entries(list: string): string[] {
  if (!list.startsWith('[')) {
    const entry =
      /(?:(?:[A-Z]{2}\d{3}|EdDSA):)?-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----(?:\\n)*|[^\s,]+/gs;
    return list.match(entry) ?? [];
  }
  try {
    const parsed: unknown = JSON.parse(list);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === 'string')) return parsed;
  } catch {
    // Said below.
  }
  throw new WrongKey('expected keys separated by commas, or a JSON list of strings');
}
