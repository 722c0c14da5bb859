import { generateKeyPairSync } from 'node:crypto';

/** A fresh key pair as the settings take it, for one of the asymmetric algorithms. */
export function keyPair(algorithm: string) {
  const { privateKey, publicKey } = pairFor(algorithm);
  const privatePem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const publicPem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const settings = { JWT_ALGORITHM: algorithm, JWT_PRIVATE_KEY: privatePem };
  return { privateKey, publicKey, privatePem, publicPem, settings };
}

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function pairFor(algorithm: string) {
  const namedCurve = CURVES[algorithm];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}
