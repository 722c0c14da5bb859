import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { CURVES } from '../config/key-material.js';
import { JWT_ALGORITHMS, type JwtAlgorithm } from '../config/tokens.settings.js';
import { keyId } from './key-id.js';

/**
 * Returns a fresh secret or key pair for `.env`, each value on one line. With a key pair comes a secret, from
 * which refresh tokens are made. RSA keys have 3072 bits.
 *
 * @throws Error with a sentence for the user, if the algorithm is not one of {@link JWT_ALGORITHMS}
 */
export function generateKeys(name: string | undefined): string {
  const algorithm = JWT_ALGORITHMS.find((known) => known.toUpperCase() === name?.toUpperCase());
  if (!algorithm) throw new Error(`Name one algorithm of ${JWT_ALGORITHMS.join(', ')}.`);
  // 64 bytes are enough for each HS algorithm.
  const secret = randomBytes(64).toString('base64url');
  const lines = algorithm.startsWith('HS')
    ? [
        comment(`${algorithm} secret`, createSecretKey(Buffer.from(secret))),
        `JWT_ALGORITHM=${algorithm}`,
        `JWT_SECRET_KEY=${secret}`,
      ]
    : pairLines(algorithm, secret);
  // The file's last line may lack its line end: the empty line keeps it apart.
  return ['', ...lines, ''].join('\n');
}

function pairLines(algorithm: JwtAlgorithm, secret: string): string[] {
  const { privateKey, publicKey } = freshPair(algorithm);
  const pem = (key: KeyObject, type: 'pkcs8' | 'spki') =>
    `"${(key.export({ format: 'pem', type }) as string).trim().replaceAll('\n', '\\n')}"`;
  return [
    comment(`${algorithm} key pair, and a secret for refresh tokens`, publicKey),
    `JWT_ALGORITHM=${algorithm}`,
    `JWT_SECRET_KEY=${secret}`,
    `JWT_PRIVATE_KEY=${pem(privateKey, 'pkcs8')}`,
    `JWT_PUBLIC_KEY=${pem(publicKey, 'spki')}`,
  ];
}

function freshPair(algorithm: JwtAlgorithm) {
  const namedCurve = CURVES[algorithm];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 3072 });
}

/**
 * Returns a comment line with the key's id. The equals sign matters: Node 20 joins the two lines that npm
 * prints first with the next name, and this line keeps the setting below it whole.
 */
const comment = (what: string, key: KeyObject): string => `# ${what}: kid=${keyId(key)}`;
