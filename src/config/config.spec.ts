import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, ConfigError } from './config.js';
import { SETTINGS } from './settings.js';

const SECRET = 'kC4vYx8mQz2rT6wN9pL3sB7dF1gH5jKa';
const load = (env: Record<string, string> = {}) => Config.load({ JWT_SECRET_KEY: SECRET, ...env });
const wrong = (env: Record<string, string>): string[] => {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ name }) => name);
    throw error;
  }
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('Config', () => {
  it('has the documented defaults', () => {
    const config = load();
    expect(config).toMatchObject({
      production: false,
      host: 'localhost',
      port: 3000,
      databaseUrl: 'sqlite:data/latchkey.sqlite',
      bcryptCost: 12,
      passwordMinLength: 8,
      corsOrigins: [],
      trustProxy: false,
    });
    expect(config.jwt).toMatchObject({
      algorithm: 'HS256',
      expires: 900,
      identityClaim: 'sub',
      headerName: 'Authorization',
      headerType: 'Bearer',
      invalidTokenStatus: 401,
    });
  });

  it.each([
    ['900', 900],
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['1d', 86_400],
  ])('reads %s as %i seconds', (text, seconds) => {
    expect(load({ JWT_EXPIRES: text }).jwt.expires).toBe(seconds);
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['PORT', '0x10'],
    ['JWT_EXPIRES', '0'],
    ['JWT_EXPIRES', '15 m'],
    ['JWT_EXPIRES', '2d'],
    ['JWT_ALGORITHM', 'none'],
    ['JWT_HEADER_NAME', 'X Y'],
    ['JWT_HEADER_TYPE', 'a b'],
    ['JWT_IDENTITY_CLAIM', 'roles'],
    ['JWT_IDENTITY_CLAIM', '__proto__ x'],
    ['JWT_IDENTITY_CLAIM', 'auth_time'],
    ['JWT_IDENTITY_CLAIM', 'client_id'],
    ['JWT_IDENTITY_CLAIM', 'act'],
    ['JWT_IDENTITY_CLAIM', 'scope'],
    ['JWT_HEADER_NAME', ''],
    ['JWT_HEADER_NAME', 'Cookie'],
    ['JWT_HEADER_NAME', 'host'],
    ['JWT_DECODE_AUDIENCE', ','],
    ['JWT_TYP', 'jwt'],
    ['AUTH_COOKIE_DOMAIN', '.example.com'],
    ['AUTH_COOKIE_DOMAIN', 'com'],
    ['AUTH_COOKIE_DOMAIN', '127.0.0.1'],
    ['AUTH_COOKIE_DOMAIN', 'example.com'],
    ['AUTH_COOKIE_SAMESITE', 'none'],
    ['JWT_INVALID_TOKEN_STATUS', '200'],
    ['BCRYPT_COST', '9'],
    ['BCRYPT_COST', '17'],
    ['TEST_BCRYPT_COST', '3'],
    ['TEST_BCRYPT_COST', '10'],
    ['PASSWORD_MIN_LENGTH', '7'],
    ['DATABASE_URL', 'mysql://x'],
    ['DATABASE_URL', 'sqlite:'],
    ['DATABASE_URL', 'sqlite::memory:'],
    ['DATABASE_URL', 'sqlite:data/latchkey.sqlite?mode=ro'],
    ['DATABASE_URL', 'postgres://host/db?sslmode=sometimes'],
    ['DATABASE_URL', 'postgres://host/db?sslmode=require&sslmode=disable'],
    ['DATABASE_URL', 'postgres://ada:canary/word@host/db'],
    ['DATABASE_URL', 'postgres://ada:can@ary/word@host/db'],
    ['DATABASE_URL', 'postgres://ada:canary#word@host/db'],
    ['DATABASE_URL', 'postgres://ada:canary?word@host/db'],
    ['REDIS_URL', 'redis://host/canary'],
    ['REDIS_URL', 'redis://:can@ary@host/0'],
    ['DATABASE_URL', 'postgres://host/db?sslmode=verify-ca'],
    ['DATABASE_POOL_SIZE', '0'],
    ['DATABASE_TIMEOUT', '0'],
    ['DATABASE_TIMEOUT', '2m'],
    ['DATABASE_WAIT_TIMEOUT', '-1'],
    ['SHUTDOWN_DELAY', '10m'],
    ['SHUTDOWN_DELAY', 's'],
    ['METRICS_TOKEN', 'short'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=%zz'],
    ['JWT_NBF_TOLERANCE', '10m'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://a.example/'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', 'on'],
    ['TRUST_PROXY', '0'],
    ['TRUST_PROXY', '10'],
    ['TRUST_PROXY', 'dead'],
    ['TRUST_PROXY', '1.2.3'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10.0.0.1,300.0.0.1'],
    ['TRUST_PROXY', '::1/129'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['TRUST_PROXY', '::/0'],
    ['TRUST_PROXY', '10.0.0.0/08'],
    ['DATABASE_URL', 'sqlite:~/latchkey.sqlite'],
    ['DATABASE_URL', 'sqlite://latchkey.sqlite'],
    ['DATA_DIR', '\u200bdata'],
    ['JWT_ISSUER', 'latch\u00adkey'],
    ['JWT_DECODE_AUDIENCE', 'api\nother'],
    ['JWT_SECRET_KEY', `${SECRET}\u200b`],
    ['MAIL_FROM', '\u202aa@example.com'],
    ['CORS_ORIGINS', 'https://*.example.com'],
    ['CORS_ORIGINS', 'http://1'],
    ['HOST', '0'],
    ['HOST', '127.1'],
    ['HOST', '3000'],
    ['HOST', '127.0.0.1:3000'],
    ['HOST', 'http://localhost'],
    ['HOST', '[::1]'],
    ['HOST', '*'],
    ['DATA_DIR', '~/data'],
    ['MAIL_TEMPLATES', '~/mail'],
    ['PUBLIC_URL', 'http://1'],
    ['PUBLIC_URL', 'https://*.example.com'],
    ['PUBLIC_URL', 'http://0x7f.1'],
    ['METRICS_TOKEN', 'a token with spaces'],
    ['JWT_SECRET_KEY', `${SECRET}\n`],
    ['JWT_SECRET_KEY', ` ${SECRET}`],
    ['JWT_SECRET_KEY', `"${SECRET}"`],
    ['JWT_ISSUER', '"latchkey"'],
    ['JWT_ISSUER', "'latchkey'"],
    ['NODE_ENV', 'prod'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s', (name, value) => {
    expect(wrong({ [name]: value })).toEqual([name]);
  });

  it.each([
    ['DATABASE_URL', 'postgres://ada:canary@host/db?schema=canary', 'schema is not supported'],
    ['DATABASE_URL', 'postgres://ada@host/db?ssl_mode=canary', 'ssl_mode is not supported'],
    [
      'DATABASE_URL',
      'postgres://host/db?channel_binding=require',
      'channel_binding is not supported',
    ],
    [
      'DATABASE_URL',
      'postgres://host/db?sslmode=require&sslmode=disable',
      'sslmode is given twice',
    ],
    ['DATABASE_URL', 'postgres://ada:can@ary@host/db', 'write @ as %40'],
    ['REDIS_URL', 'redis://host/0?tls=canary', 'tls is not supported'],
    ['SMTP_URL', 'smtp://host:587?secure=canary', 'secure is not supported'],
    ['SMTP_URL', 'smtp://ada:can@ary@host:587', 'write @ as %40'],
  ])('refuses in %s of %s what it would not heed: %s', (name, value, sentence) => {
    expect(() => load({ [name]: value, MAIL_FROM: 'a@b.example' })).toThrow(sentence);
    expect(() => load({ [name]: value, MAIL_FROM: 'a@b.example' })).not.toThrow(/can@?ary/);
  });

  it.each(Object.getOwnPropertyNames(Object.prototype))(
    'refuses %s as the claim of the user, since every object has it',
    (name) => {
      expect(wrong({ JWT_IDENTITY_CLAIM: name })).toEqual(['JWT_IDENTITY_CLAIM']);
    },
  );

  it('counts an empty value as not set, but for the header type', () => {
    const config = load({ PORT: '', CORS_ORIGINS: '', JWT_HEADER_TYPE: '' });
    expect([config.port, config.jwt.headerType]).toEqual([3000, '']);
  });

  it('takes no white space at the ends of a value for a part of it', () => {
    const config = load({
      PORT: ' 3001\n',
      NODE_ENV: 'production ',
      JWT_ISSUER: '\tid\r\n',
      METRICS_TOKEN: '0123456789abcdef\n',
      JWT_HEADER_TYPE: ' ',
    });
    expect([config.port, config.production, config.jwt.issuer, config.metricsToken]).toEqual([
      3001,
      true,
      'id',
      '0123456789abcdef',
    ]);
    expect(config.jwt.headerType).toBe('');
  });

  it.each([
    ['TRUST_PROXY', '10.0.0.0/8, ::1,fd00::/8,127.0.0.1'],
    ['TRUST_PROXY', '2'],
    [
      'CORS_ORIGINS',
      'http://localhost:5173,http://[::1]:3000,http://127.0.0.1,https://a-b.c_d.example',
    ],
    ['HOST', '::'],
    ['HOST', 'localhost'],
    ['HOST', 'web-1.internal'],
    ['PUBLIC_URL', 'http://127.0.0.1:3000'],
    ['PUBLIC_URL', 'https://Accounts.Example.com/auth'],
  ])('takes %s=%s', (name, value) => {
    expect(wrong({ [name]: value })).toEqual([]);
  });

  it('says which times a setting takes, with examples that it takes', () => {
    const said = (env: Record<string, string>) => {
      try {
        load(env);
      } catch (error) {
        return (error as ConfigError).issues.map(({ expected }) => expected);
      }
      return [];
    };
    expect(said({ JWT_EXPIRES: '30d' })).toEqual([
      'expected a time such as 5, 30s, 15m, 12h: from 1s to 1d',
    ]);
    expect(said({ HASH_MAX_WAIT: '0' })).toEqual([
      'expected a time such as 5, 30s: from 1s to 60s',
    ]);
    expect(said({ SESSION_IDLE_EXPIRES: 'x' })).toEqual([
      'expected a time such as 5, 30s, 15m, 12h, 30d: from 1s to 400d',
    ]);
  });

  it('refuses test settings and made secrets in production', () => {
    expect(wrong({ NODE_ENV: 'production', TEST_BCRYPT_COST: '4' })).toEqual(['TEST_BCRYPT_COST']);
    expect(() => Config.load({ NODE_ENV: 'production', DATA_DIR: dir })).toThrow('JWT_SECRET_KEY');
  });

  it('refuses an http PUBLIC_URL with cookies in production, where they are for https alone', () => {
    const cookies = { AUTH_COOKIES: 'on', CORS_ORIGINS: 'https://app.example.com' };
    const http = { ...cookies, PUBLIC_URL: 'http://localhost:3000' };
    expect(wrong({ NODE_ENV: 'production', ...http })).toEqual(['PUBLIC_URL']);
    expect(load(http).secureCookies).toBe(false);
    expect(load({ ...cookies, PUBLIC_URL: 'https://api.example.com' }).secureCookies).toBe(true);
    expect(load({ NODE_ENV: 'production', ...cookies }).secureCookies).toBe(true);
  });

  it('makes a secret once', () => {
    const first = Config.load({ DATA_DIR: join(dir, 'made') });
    const second = Config.load({ DATA_DIR: join(dir, 'made') });
    expect([first.generatedSecretCreated, second.generatedSecretCreated]).toEqual([true, false]);
    expect(first.jwt.signingKey.equals(second.jwt.signingKey)).toBe(true);
  });
});

describe('the documentation', () => {
  it('lists every setting with its default, in docs/settings.md and in .env.example', () => {
    const rows = Object.entries(SETTINGS).map(([name, schema]) => {
      const json = schema as unknown as { def: { type: string; defaultValue?: unknown } };
      const fallback = ['default', 'prefault'].includes(json.def.type)
        ? json.def.defaultValue
        : innerDefault(schema);
      const shown = fallback === undefined || fallback === '' ? '' : `\`${fallback as string}\``;
      return `| \`${name}\` | ${shown} | ${schema.description ?? ''} |`;
    });
    const page = readFileSync('docs/settings.md', 'utf8').split('\n');
    const table = page.filter((line) => /^\| `[A-Z_]+` +\|/.test(line));
    // The formatter pads columns and escapes stars.
    const bare = (line: string) => line.replaceAll(/ +/g, ' ').replaceAll('\\*', '*');
    expect(table.map(bare)).toEqual(rows.map(bare));
    const example = readFileSync('.env.example', 'utf8');
    const named = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(SETTINGS));
  });
});

/** The default of a schema that transforms its default. */
function innerDefault(schema: unknown): unknown {
  const { def } = schema as { def: { in?: unknown; innerType?: unknown; defaultValue?: unknown } };
  if ('defaultValue' in def) return def.defaultValue;
  const inner = def.in ?? def.innerType;
  return inner === undefined ? undefined : innerDefault(inner);
}

describe('a secret that others know', () => {
  const FASTAPI = '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7';
  const OWN = 'Zp8vKq3xWm7tRb2yNc6uHd9sLf4gJe1a';
  const production = { NODE_ENV: 'production' };
  it.each([
    ['one of a tutorial', FASTAPI],
    ['one of a tutorial in capitals', FASTAPI.toUpperCase()],
    ['one of a tutorial in base64', Buffer.from(FASTAPI).toString('base64')],
    ['a repetition with a rest', 'test123-test123-test123-test123-te'],
    ['words in base64', Buffer.from('this is my secret key').toString('base64url') + 'dG9v'],
    ['Django’s own mark', 'django-insecure-8v(2k$q1z!p0w)x7c3m@n5b9'],
  ])('is refused in production: %s', (_what, secret) => {
    expect(wrong({ ...production, JWT_SECRET_KEY: secret })).toEqual(['JWT_SECRET_KEY']);
    const previous = { JWT_SECRET_KEY: OWN, JWT_PREVIOUS_SECRET_KEYS: JSON.stringify([secret]) };
    expect(wrong({ ...production, ...previous })).toEqual(['JWT_PREVIOUS_SECRET_KEYS']);
    expect(wrong({ ...production, JWT_SECRET_KEY: OWN })).toEqual([]);
  });

  it('is refused for webhooks too', () => {
    const webhooks = {
      WEBHOOK_URL: 'https://app.example.com/webhooks',
      WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    };
    expect(wrong({ ...production, ...webhooks })).toEqual(['WEBHOOK_SECRET']);
  });
});
