import { generateKeyPairSync } from 'node:crypto';

/** A fresh key pair as the settings take it, for one of the asymmetric algorithms. */
export function keyPair(algorithm: string) {
  const { privateKey, publicKey } = algorithm.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: algorithm === 'ES256' ? 'P-256' : 'P-384' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privatePem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const publicPem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const settings = { JWT_ALGORITHM: algorithm, JWT_PRIVATE_KEY: privatePem };
  return { privateKey, publicKey, privatePem, publicPem, settings };
}
