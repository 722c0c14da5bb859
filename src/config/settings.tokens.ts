import { z } from 'zod';
import { choice, DAY, duration, list } from './setting-types.js';

/** Headers that have another meaning, or that a proxy or Node takes off a request. */
const TAKEN_HEADERS =
  /^(accept.*|connection|content-.*|cookie|date|expect|forwarded|host|if-.*|keep-alive|origin|proxy-.*|range|referer|sec-.*|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*|x-request-id|traceparent|tracestate)$/i;
const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header')
  .refine((name) => !TAKEN_HEADERS.test(name), { error: 'expected a header that is not taken' })
  .default('Authorization');
const headerType = z
  .string()
  .regex(/^[A-Za-z0-9-]*$/, 'expected one word, or nothing')
  .default('Bearer');

/** The claims of access tokens beside the user's id, and those that standards give a meaning of their own. */
const TAKEN_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'ver', 'username', 'roles', 'auth_time'],
  ...[
    'client_id',
    'act',
    'act_ver',
    'act_roles',
    'acr',
    'amr',
    'scope',
    'cnf',
    'may_act',
    'azp',
    'nonce',
  ],
  ...['at_hash', 'c_hash', 's_hash', 'events', 'sub_id', 'sub_jwk'],
]);
const identityClaim = z
  .string()
  .refine(
    (name) =>
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
      !TAKEN_CLAIMS.has(name) &&
      // Every object has `constructor` and the like, whether a token says so or not.
      !(name in Object.prototype),
    { error: 'expected the name of a claim that is not taken' },
  )
  .default('sub');

/** The claim `aud` of tokens: undefined for no audience, a text for one, a list for several. */
const audience = z
  .string()
  .optional()
  .transform((text, ctx): string | string[] | undefined => {
    if (text === undefined) return undefined;
    const audiences = [...new Set(list(text))];
    if (audiences.length > 0) return audiences.length === 1 ? audiences[0] : audiences;
    ctx.addIssue('expected a name, or several with commas between');
    return z.NEVER;
  });

/** The algorithms that access tokens may be signed with. */
export const JWT_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** One of {@link JWT_ALGORITHMS}. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** The types of access tokens: that of RFC 9068, and the one that older libraries know alone. */
export const JWT_TYPES = ['at+jwt', 'JWT'] as const;

/** Access tokens and their keys. */
export const TOKEN_SETTINGS = {
  JWT_ALGORITHM: z
    .enum(JWT_ALGORITHMS, { error: `expected one of ${JWT_ALGORITHMS.join(', ')}` })
    .optional()
    .describe(
      'HS256/384/512, RS…, PS…, ES256/384/512 or EdDSA; by default the one of `JWT_PRIVATE_KEY` ' +
        '(of RSA RS256), or else HS256',
    ),
  JWT_SECRET_KEY: z
    .string()
    .optional()
    .describe(
      'Secret of HS* (32, 48 or 64 bytes) and of refresh tokens; for HS* made in `DATA_DIR`',
    ),
  JWT_PRIVATE_KEY: z
    .string()
    .optional()
    .describe('Private key of RS*, PS*, ES*, EdDSA: PEM or its path'),
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
    'How far ahead the clock of a token’s issuer may be; instances on PostgreSQL share one clock',
  ),
  JWT_ISSUER: z.string().min(1).default('latchkey').describe('Claim `iss` of tokens'),
  JWT_DECODE_AUDIENCE: audience.describe(
    'Claim `aud` that tokens carry; several with commas between, of which a token must have one',
  ),
  JWT_TYP: choice(JWT_TYPES, 'at+jwt').describe(
    'Header `typ` of tokens; `JWT` for verifiers that know no other (`at+jwt` stays accepted)',
  ),
  JWT_IDENTITY_CLAIM: identityClaim.describe('Claim that carries the user id'),
  JWT_HEADER_NAME: headerName.describe('Header that carries the token'),
  JWT_HEADER_TYPE: headerType.describe('Word before the token; may be empty'),
  JWT_INVALID_TOKEN_STATUS: choice(['401', '422'], '401').describe(
    'Status for a malformed or forged token',
  ),
} as const;
