import { z } from 'zod';
import { declareSettings, setting } from './setting.js';
import { choice, DAY, duration, list } from './setting-schemas.js';

/** Headers with another meaning, and headers that a proxy or Node removes from a request. */
const RESERVED_HEADERS =
  /^(accept.*|connection|content-.*|cookie|date|expect|forwarded|host|if-.*|keep-alive|origin|proxy-.*|range|referer|sec-.*|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*|x-request-id|traceparent|tracestate)$/i;
const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header')
  .refine((name) => !RESERVED_HEADERS.test(name), { error: 'expected a header that is not taken' })
  .default('Authorization');
const headerType = z
  .string()
  .regex(/^[A-Za-z0-9-]*$/, 'expected one word, or nothing')
  .default('Bearer');

/** The claims of access tokens beside the user's id, and the claims with a meaning in a standard. */
const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'ver', 'username', 'roles', 'auth_time'],
  ...[
    'client_id',
    'act',
    'act_ver',
    'act_roles',
    'acr',
    'amr',
    'enrolment_required',
    'scope',
    'cnf',
    'may_act',
    'azp',
  ],
  ...['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'sub_id', 'sub_jwk'],
]);
const identityClaim = z
  .string()
  .refine(
    (name) =>
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
      !RESERVED_CLAIMS.has(name) &&
      // Every object has `constructor` and similar names, even if the token has no such claim.
      !(name in Object.prototype),
    { error: 'expected the name of a claim that is not taken' },
  )
  .default('sub');

/** The claim `aud` of tokens: undefined for no audience, a string for one, a list for several. */
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

/** The algorithms that can sign access tokens. */
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

/** The types of access tokens: the type of RFC 9068, and the only one that older libraries know. */
export const JWT_TYPES = ['at+jwt', 'JWT'] as const;

const text = z.string().optional();

export const TOKEN_SETTINGS = declareSettings('Tokens and keys', {
  JWT_ALGORITHM: setting({
    schema: z
      .enum(JWT_ALGORITHMS, { error: `expected one of ${JWT_ALGORITHMS.join(', ')}` })
      .optional(),
    summary:
      'HS256/384/512, RS…, PS…, ES256/384/512 or EdDSA. By default `JWT_PRIVATE_KEY` decides (RS256 for ' +
      'RSA). Without that key it is HS256.',
    example: 'HS256',
  }),
  JWT_SECRET_KEY: setting({
    schema: text,
    summary:
      'The secret of HS* (at least 32, 48 or 64 bytes), from which the keys of refresh tokens are ' +
      'derived. Outside production Latchkey generates one for HS* in `DATA_DIR`.',
    example: '',
    command: 'npx latchkey keys generate HS256',
    exact: true,
  }),
  JWT_PRIVATE_KEY: setting({
    schema: text,
    summary: 'The private key of RS*, PS*, ES* or EdDSA: a PEM or its path.',
    example: '/run/secrets/jwt.pem',
    multiline: true,
  }),
  JWT_PUBLIC_KEY: setting({
    schema: text,
    summary: 'The public key: a PEM or its path. By default it is derived from the private key.',
    example: '',
    multiline: true,
  }),
  JWT_PREVIOUS_SECRET_KEYS: setting({
    schema: text,
    summary:
      'Earlier or coming secrets, separated by commas. Latchkey accepts their tokens, and signs nothing ' +
      'with them.',
    example: '',
    multiline: true,
  }),
  JWT_PREVIOUS_PUBLIC_KEYS: setting({
    schema: text,
    summary:
      'Earlier or coming public keys (PEMs or paths), separated by commas. Latchkey accepts their tokens.',
    example: '',
    multiline: true,
  }),
  JWT_EXPIRES: setting({
    schema: duration('15m', DAY),
    summary: 'The life of an access token: seconds, `15m` or `1h`.',
    example: '15m',
  }),
  JWT_ISSUER: setting({
    schema: z.string().min(1).default('latchkey'),
    summary: 'The claim `iss` of tokens.',
    example: 'latchkey',
  }),
  JWT_DECODE_AUDIENCE: setting({
    schema: audience,
    summary:
      'The claim `aud` of tokens. Separate several by commas; an accepted token has at least one of them.',
    example: '',
  }),
  JWT_TYP: setting({
    schema: choice(JWT_TYPES, 'at+jwt'),
    summary:
      'The header `typ` of tokens. `JWT` is for verifiers that know no other type. Latchkey accepts ' +
      '`at+jwt` either way.',
    example: 'at+jwt',
  }),
  JWT_IDENTITY_CLAIM: setting({
    schema: identityClaim,
    summary: 'The claim with the id of the user.',
    example: 'sub',
  }),
  JWT_HEADER_NAME: setting({
    schema: headerName,
    summary: 'The request header with the token.',
    example: 'Authorization',
    mayBeEmpty: true,
  }),
  JWT_HEADER_TYPE: setting({
    schema: headerType,
    summary: 'The word before the token. It may be empty.',
    example: 'Bearer',
    mayBeEmpty: true,
  }),
  JWT_INVALID_TOKEN_STATUS: setting({
    schema: choice(['401', '422'], '401'),
    summary: 'The status for a malformed or forged token.',
    example: '401',
  }),
});
