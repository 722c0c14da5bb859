import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, ConfigError } from './config.js';
import { load, wrong } from './settings.fixture.js';

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
      identifier: 'both',
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

  it.each([
    ['AUTH_COOKIES', 'on', 'strict'],
    ['AUTH_COOKIES', 'lax', 'lax'],
    ['AUTH_COOKIES', 'cross-site', 'none'],
  ])('makes a cookie with %s=%s whose SameSite is %s', (name, value, sameSite) => {
    const origin = {
      CORS_ORIGINS: 'https://app.example.com',
      PUBLIC_URL: 'https://id.example.com',
    };
    const config = load({ [name]: value, ...origin });
    expect([config.authCookies, config.cookie.sameSite]).toEqual([true, sameSite]);
    expect(load(origin).authCookies).toBe(false);
  });

  it('reads when limits apply and the rates that differ from the defaults', () => {
    const { rateLimits, limits } = load({ RATE_LIMITS: 'on, login = 100/1m,failedPair=3/15m' });
    expect([rateLimits, limits.login, limits.failedPair, limits.register]).toEqual([
      'on',
      { points: 100, seconds: 60 },
      { points: 3, seconds: 900 },
      { points: 60, seconds: 3600 },
    ]);
    expect(load({ RATE_LIMITS: 'mail=1/1h' }).rateLimits).toBe('auto');
    expect(load().rateLimits).toBe('auto');
  });

  it('reads from SMTP_URL whether mail needs TLS', () => {
    const tlsOf = (url: string) =>
      load({ SMTP_URL: url, MAIL_FROM: 'a@b.example' }).mail.smtp?.tlsRequired;
    expect(tlsOf('smtp://mail.example.com')).toBe(true);
    expect(tlsOf('smtp://mail.example.com:25?tls=off')).toBe(false);
    expect(tlsOf('smtp://127.0.0.1:25')).toBe(false);
    expect(tlsOf('smtps://user:p%40ss@mail.example.com')).toBe(true);
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
    expect(said({ DATABASE_TIMEOUT: '0' })).toEqual([
      'expected a time such as 5, 30s: from 1s to 60s',
    ]);
    expect(said({ SESSION_IDLE_EXPIRES: 'x' })).toEqual([
      'expected a time such as 5, 30s, 15m, 12h, 30d: from 1s to 400d',
    ]);
  });

  it('refuses cheap hashes and generated secrets in production', () => {
    expect(wrong({ NODE_ENV: 'production', BCRYPT_COST: '9' })).toEqual(['BCRYPT_COST']);
    expect(wrong({ NODE_ENV: 'production', BCRYPT_COST: '9', PORT: 'x' })).toEqual([
      'PORT',
      'BCRYPT_COST',
    ]);
    expect(load({ NODE_ENV: 'test', BCRYPT_COST: '4' }).bcryptCost).toBe(4);
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
});
