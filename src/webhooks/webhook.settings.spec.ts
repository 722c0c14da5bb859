import { load } from '../config/settings.fixture.js';
import { ConfigError } from '../config/config.js';
import { WebhookReceiver } from './webhook-receiver.js';

const GOOD = `whsec_${Buffer.from('0123456789abcdefghijklmn').toString('base64')}`;
const settings = (env: Record<string, string>) =>
  new WebhookReceiver(load({ WEBHOOK_SECRET: GOOD, ...env }));
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

it('takes an address and its secrets; without an address it sends no webhooks', () => {
  const url = 'https://app.example.com/hooks?token=a@b';
  expect(settings({ WEBHOOK_URL: url, WEBHOOK_SECRET: `${GOOD}, ${GOOD}` })).toEqual({
    url,
    secrets: [GOOD, GOOD],
    timeout: 15,
  });
  expect(settings({}).url).toBeUndefined();
});

it.each([
  'ftp://app.example.com',
  'app.example.com/hooks',
  'https://user:secret@app.example.com',
  'https://app.example.com/#hooks',
  'http://app.example.com/hooks',
  'http://127.0.0.1.example.com/hooks',
  'http://8.8.8.8/hooks',
  'http://[2606:4700::1111]/hooks',
  'http://app.internal.example.com/hooks',
])('refuses the address %s', (url) => {
  expect(wrong({ WEBHOOK_URL: url })).toEqual(['WEBHOOK_URL']);
});

it.each([
  'http://127.0.0.1:4000/hooks',
  'http://localhost/hooks',
  'http://[::1]:4000/',
  'http://192.168.0.1/hooks',
  'http://[fd00::1]/hooks',
  'http://app/hooks',
  'http://app.svc.cluster.local/hooks',
])('needs no TLS for %s', (url) => {
  expect(settings({ WEBHOOK_URL: url }).url).toBe(url);
});

it('refuses a secret that was published, in production', () => {
  const published = {
    WEBHOOK_URL: 'https://app.example.com/webhooks',
    WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  };
  expect(wrong(published)).toEqual([]);
  expect(wrong({ NODE_ENV: 'production', ...published })).toEqual(['WEBHOOK_SECRET']);
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
