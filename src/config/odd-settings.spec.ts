import { Config } from './config.js';
import { oddSettings } from './odd-settings.js';
import { SETTINGS } from './settings.js';

it.each([
  ['JWT_SECRET', 'JWT_SECRET_KEY'],
  ['JWT_SECRETKEY', 'JWT_SECRET_KEY'],
  ['JWT_EXPIRE', 'JWT_EXPIRES'],
  ['jwt_secret_key', 'JWT_SECRET_KEY'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['TRUSTED_PROXY', 'TRUST_PROXY'],
  ['LIMIT_LOGINS', 'LIMIT_LOGIN'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['SMTP_URI', 'SMTP_URL'],
])('tells that %s is no setting, and may be meant as %s', (name, meant) => {
  expect(oddSettings({ [name]: 'canary' })).toEqual([
    `${name} is no setting: did you mean ${meant}?`,
  ]);
});

it('tells of other names that look like settings of tokens', () => {
  expect(oddSettings({ JWT_TOKEN_LOCATION: 'cookies' })).toEqual([
    'JWT_TOKEN_LOCATION is no setting: docs/settings.md lists them',
  ]);
});

it('does not warn of its own settings, of empty ones and of those of other programs', () => {
  const own = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, 'x']));
  expect(oddSettings(own)).toEqual([]);
  const others = ['PATH', 'HOME', 'HOSTNAME', 'SHELL', 'TEST_DATABASE_URL', 'NODE_OPTIONS', 'POST'];
  expect(oddSettings(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  expect(oddSettings({ JWT_SECRET: '' })).toEqual([]);
});

it('warns of settings without the one they need, and Config keeps the warnings', () => {
  const { warnings } = Config.load({
    JWT_SECRET_KEY: 'kC4vYx8mQz2rT6wN9pL3sB7dF1gH5jKa',
    WEBHOOK_TIMEOUT: '5s',
    JWT_SECRET: 'canary',
  });
  expect(warnings).toEqual([
    'JWT_SECRET is no setting: did you mean JWT_SECRET_KEY?',
    'WEBHOOK_TIMEOUT has no effect without WEBHOOK_URL',
  ]);
});
