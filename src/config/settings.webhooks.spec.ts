import { Config, ConfigError } from './config.js';

const GOOD = `whsec_${Buffer.from('0123456789abcdefghijklmn').toString('base64')}`;
const settings = (env: Record<string, string>) =>
  Config.load({
    JWT_SECRET_KEY: '0123456789abcdefghijklmnopqrstuvwxyz',
    WEBHOOK_SECRET: GOOD,
    ...env,
  }).webhooks;
const wrong = (env: Record<string, string>): string[] => {
  try {
    settings(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const value of Object.values(env).filter(Boolean))
      expect(error.message).not.toContain(value);
    return error.issues.map(({ name }) => name);
  }
};

it('takes an address and its secrets; without an address nobody is told', () => {
  const url = 'https://app.example.com/hooks?token=a@b';
  expect(settings({ WEBHOOK_URL: url, WEBHOOK_SECRET: `${GOOD}, ${GOOD}` })).toEqual({
    url,
    secrets: [GOOD, GOOD],
    timeout: 15,
  });
  expect(settings({})).toBeUndefined();
});

it.each([
  'ftp://app.example.com',
  'app.example.com/hooks',
  'https://user:secret@app.example.com',
  'https://app.example.com/#hooks',
  'http://app.example.com/hooks',
  'http://127.0.0.1.example.com/hooks',
  'http://192.168.0.1/hooks',
])('refuses the address %s', (url) => {
  expect(wrong({ WEBHOOK_URL: url })).toEqual(['WEBHOOK_URL']);
});

it.each(['http://127.0.0.1:4000/hooks', 'http://localhost/hooks', 'http://[::1]:4000/'])(
  'needs no TLS for %s',
  (url) => {
    expect(settings({ WEBHOOK_URL: url })?.url).toBe(url);
  },
);

it('may be told to do without TLS', () => {
  const url = 'http://app/hooks';
  expect(settings({ WEBHOOK_URL: url, WEBHOOK_TLS: 'off' })?.url).toBe(url);
});

it.each([
  ['no prefix', GOOD.slice('whsec_'.length)],
  ['23 bytes', `whsec_${Buffer.from('0123456789abcdefghijklm').toString('base64')}`],
  ['65 bytes', `whsec_${Buffer.alloc(65, GOOD).toString('base64')}`],
  ['the same byte over and over', `whsec_${Buffer.alloc(32, 'secret').toString('base64')}`],
  ['no base64', `whsec_${'!'.repeat(40)}`],
  ['base64url', `whsec_${'_-8_'.repeat(10)}ABCDEFGH`],
  ['another bit at the end', `${GOOD.slice(0, -1)}n=`],
  ['one weak secret of two', `${GOOD},whsec_`],
])('refuses a secret with %s', (_what, secret) => {
  expect(wrong({ WEBHOOK_URL: 'https://app.example.com', WEBHOOK_SECRET: secret })).toEqual([
    'WEBHOOK_SECRET',
  ]);
});

it('needs a secret', () => {
  expect(wrong({ WEBHOOK_URL: 'https://app.example.com', WEBHOOK_SECRET: '' })).toEqual([
    'WEBHOOK_SECRET',
  ]);
});
