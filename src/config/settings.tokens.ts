import { z } from 'zod';
import { choice, DAY, duration } from './setting-types.js';

const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header')
  .default('Authorization');
const headerType = z
  .string()
  .regex(/^[A-Za-z0-9-]*$/, 'expected one word, or nothing')
  .default('Bearer');
const identityClaim = z
  .string()
  .regex(
    /^(?!(iss|aud|exp|nbf|iat|jti|sid|ver|username|roles|act|act_ver)$)[A-Za-z_][A-Za-z0-9_]*$/,
    'expected the name of a claim that is not taken',
  )
  .default('sub');

/** The algorithms that access tokens may be signed with. */
export const JWT_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'ES256',
  'ES384',
] as const;

/** One of {@link JWT_ALGORITHMS}. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Access tokens and their keys. */
export const TOKEN_SETTINGS = {
  JWT_ALGORITHM: choice(JWT_ALGORITHMS, 'HS256').describe(`One of ${JWT_ALGORITHMS.join(', ')}`),
  JWT_SECRET_KEY: z
    .string()
    .optional()
    .describe(
      'Secret of HS* (32, 48 or 64 bytes) and of refresh tokens; for HS* made in `DATA_DIR`',
    ),
  JWT_PRIVATE_KEY: z.string().optional().describe('Private key of RS*, PS*, ES*: PEM or its path'),
  JWT_PUBLIC_KEY: z
    .string()
    .optional()
    .describe('Public key, PEM or its path; by default taken from the private key'),
  JWT_PREVIOUS_SECRET_KEYS: z
    .string()
    .optional()
    .describe('Secrets that are still (or already) accepted but sign nothing, with commas between'),
  JWT_PREVIOUS_PUBLIC_KEYS: z
    .string()
    .optional()
    .describe('Public keys that are still (or already) accepted, PEMs or paths, likewise'),
  JWT_EXPIRES: duration('15m', DAY).describe('Life of an access token: seconds, `15m`, `1h`'),
  JWT_NBF_TOLERANCE: duration('30s', 300, 0).describe(
    'How far the clock of the instance that issued a token may be ahead',
  ),
  JWT_ISSUER: z.string().min(1).default('latchkey').describe('Claim `iss` of tokens'),
  JWT_DECODE_AUDIENCE: z
    .string()
    .min(1)
    .optional()
    .describe('Claim `aud` that tokens carry and must have'),
  JWT_IDENTITY_CLAIM: identityClaim.describe('Claim that carries the user id'),
  JWT_HEADER_NAME: headerName.describe('Header that carries the token'),
  JWT_HEADER_TYPE: headerType.describe('Word before the token; may be empty'),
  JWT_INVALID_TOKEN_STATUS: choice(['401', '422'], '401').describe(
    'Status for a malformed or forged token',
  ),
} as const;
