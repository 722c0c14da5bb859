import { Config } from './config.js';
import { settingNames } from './setting.js';
import { settingWarnings } from './setting-warnings.js';

it.each([
  ['JWT_SECRET', 'JWT_SECRET_KEY'],
  ['JWT_SECRETKEY', 'JWT_SECRET_KEY'],
  ['JWT_EXPIRE', 'JWT_EXPIRES'],
  ['jwt_secret_key', 'JWT_SECRET_KEY'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['TRUSTED_PROXY', 'TRUST_PROXY'],
  ['RATE_LIMIT', 'RATE_LIMITS'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['SMTP_URI', 'SMTP_URL'],
  ['SMTP_HOST', 'SMTP_URL'],
  ['JWT_ACCESS_TOKEN_EXPIRES', 'JWT_EXPIRES'],
])('tells that %s is not a setting, and may be meant as %s', (name, meant) => {
  expect(settingWarnings({ [name]: 'canary' })).toEqual([
    `${name} is not a setting: did you mean ${meant}?`,
  ]);
});

it('names other settings that look like settings of tokens', () => {
  expect(settingWarnings({ JWT_TOKEN_LOCATION: 'cookies' })).toEqual([
    'JWT_TOKEN_LOCATION is not a setting: docs/settings.md lists all settings',
  ]);
});

it('does not warn of its own settings, of empty ones and of those of other programs', () => {
  const own = Object.fromEntries(settingNames().map((name) => [name, 'x']));
  expect(settingWarnings(own)).toEqual([]);
  const others = ['PATH', 'HOME', 'HOSTNAME', 'SHELL', 'TEST_DATABASE_URL', 'NODE_OPTIONS', 'POST'];
  expect(settingWarnings(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  expect(settingWarnings({ JWT_SECRET: '' })).toEqual([]);
});

it('warns of settings without the one they need, and Config keeps the warnings', () => {
  const { warnings } = Config.load({
    JWT_SECRET_KEY: 'kC4vYx8mQz2rT6wN9pL3sB7dF1gH5jKa',
    PUBLIC_URL: 'https://id.example.com',
    AUTH_COOKIE_DOMAIN: 'example.com',
    TEST_BCRYPT_COST: '4',
    JWT_SECRET: 'canary',
  });
  expect(warnings).toEqual([
    'TEST_BCRYPT_COST is no longer a setting: use BCRYPT_COST, which can be lower outside production',
    'JWT_SECRET is not a setting: did you mean JWT_SECRET_KEY?',
    'AUTH_COOKIE_DOMAIN has no effect without AUTH_COOKIES',
  ]);
});
