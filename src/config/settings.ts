import { z } from 'zod';

/** Seconds of a day. */
const DAY = 86_400;
const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: DAY };

/** A length of time in seconds, or with a unit: `900`, `900s`, `15m`, `12h`, `30d`. */
function duration(fallback: string, max: number): z.ZodType<number> {
  const longest = max >= DAY ? `${max / DAY}d` : `${max}s`;
  return z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
      const seconds = Number(digits) * (UNITS[unit] ?? 0);
      if (seconds > 0 && seconds <= max) return seconds;
      ctx.addIssue(`expected a time such as 900, 15m, 12h or 30d, at most ${longest}`);
      return z.NEVER;
    });
}

function integer(fallback: number | undefined, min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
  return fallback === undefined ? schema.optional() : schema.prefault(String(fallback));
}

function choice<const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) {
  return z
    .enum(values, { error: `expected one of ${values.join(', ')}` })
    .default(fallback as never);
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

const trustProxy = z
  .string()
  .default('off')
  .transform((text, ctx): false | number | string[] => {
    if (text === 'off') return false;
    if (/^[1-9]$/.test(text)) return Number(text);
    const addresses = list(text);
    if (addresses.length > 0 && addresses.every((item) => /^[\da-f.:]+(\/\d{1,3})?$/i.test(item))) {
      return addresses;
    }
    ctx.addIssue(
      'expected off, a number of proxies (1 to 9), or a comma-separated list of addresses and ' +
        'networks such as 10.0.0.0/8',
    );
    return z.NEVER;
  });

const databaseUrl = z
  .string()
  .refine((url) => /^sqlite:(?!.*:memory:).+|^postgres(ql)?:\/\/.+/.test(url), {
    error: 'expected sqlite:<path of a file> or postgres://…',
  })
  .optional();

const corsOrigins = z
  .string()
  .default('')
  .transform(list)
  .refine((origins) => origins.every(isOrigin), {
    error: 'expected a comma-separated list of exact origins such as https://app.example.com',
  });

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
    /^(?!(iss|aud|exp|nbf|iat|jti|sid|ver|username|roles)$)[A-Za-z_][A-Za-z0-9_]*$/,
    'expected the name of a claim that is not taken',
  )
  .default('sub');

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

/**
 * Every setting, as it stands in the environment, with its default and what it is for. The table in
 * the README is held against this by a test.
 */
export const SETTINGS = {
  NODE_ENV: choice(['development', 'test', 'production'], 'development').describe(
    '`production` asks for `JWT_SECRET_KEY` (or a key pair) and refuses test settings',
  ),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  PORT: integer(3000, 0, 65_535).describe('Port to listen on; 0 takes a free one'),
  DATA_DIR: z.string().min(1).default('data').describe('Folder for the SQLite file and made keys'),
  DATABASE_URL: databaseUrl.describe(
    '`sqlite:<path>` or `postgres://…`; by default `latchkey.sqlite` in `DATA_DIR`',
  ),
  LOG_LEVEL: choice(['silent', 'error', 'warn', 'info', 'debug'], 'info').describe(
    'How much is logged',
  ),
  CORS_ORIGINS: corsOrigins.describe('Origins that browsers may call from; none: CORS is off'),
  TRUST_PROXY: trustProxy.describe(
    'Whose `X-Forwarded-For` is believed: `off`, a number of proxies, or their addresses',
  ),
  JWT_ALGORITHM: choice(JWT_ALGORITHMS, 'HS256').describe(`One of ${JWT_ALGORITHMS.join(', ')}`),
  JWT_SECRET_KEY: z
    .string()
    .optional()
    .describe('Secret of HS*: at least 32, 48 or 64 bytes; made once in `DATA_DIR` if not set'),
  JWT_PRIVATE_KEY: z.string().optional().describe('Private key of RS*, PS*, ES*: PEM or its path'),
  JWT_PUBLIC_KEY: z
    .string()
    .optional()
    .describe('Public key, PEM or its path; by default taken from the private key'),
  JWT_EXPIRES: duration('15m', DAY).describe('Life of an access token: seconds, `15m`, `1h`'),
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
  BCRYPT_COST: integer(12, 10, 16).describe('Cost of password hashes: 2 to this power rounds'),
  TEST_BCRYPT_COST: integer(undefined, 4, 9).describe(
    'A cost under 10, for tests; refused in production',
  ),
  PASSWORD_MIN_LENGTH: integer(8, 8, 64).describe('Shortest password, in characters'),
  SESSION_IDLE_EXPIRES: duration('30d', 400 * DAY).describe('A session ends when unused for this'),
  SESSION_ABSOLUTE_EXPIRES: duration('90d', 400 * DAY).describe('A session ends at this age'),
  REFRESH_REUSE_WINDOW: duration('30s', 300).describe(
    'How long a refresh token gives its successor again, for two tabs that refresh at once',
  ),
} as const;

/** The settings' schema: takes the environment, gives typed values. */
export const settingsSchema = z.object(SETTINGS);

/** The settings, typed; secrets included. */
export type Settings = z.infer<typeof settingsSchema>;
