import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Config } from '../config/config.js';
import { estimatedBits, hasBits, isWellKnown } from '../config/secret-strength.js';
import { clockFinding } from './database-check.js';
import { hashingFinding } from './hashing-check.js';
import { checkNetwork } from './network-check.js';

describe('the strength of a secret', () => {
  it.each([
    ['base64', () => randomBytes(32).toString('base64')],
    ['base64url', () => randomBytes(48).toString('base64url')],
    ['hex', () => randomBytes(32).toString('hex')],
    ['a UUID', () => randomUUID() + randomUUID()],
  ])('is enough for random bytes as %s', (_what, make) => {
    for (let i = 0; i < 200; i++) {
      const secret = make();
      expect([secret, estimatedBits(secret) >= 112]).toEqual([secret, true]);
      expect([secret, hasBits(secret, 64)]).toEqual([secret, true]);
    }
    expect(isWellKnown(make())).toBe(false);
  });

  it.each([
    ['words', 'this is my custom secret key for authentication'],
    ['words in capitals', 'PleaseChangeThisSecretInProduction'],
    ['a run', '0123456789abcdefghijklmnopqrstuvwxyz'],
    ['a run down', 'zyxwvutsrqponmlkjihgfedcba9876543210'],
    ['a repetition', 'k8#fQ'.repeat(20)],
    ['a repetition with a rest', 'test123-test123-test123-test123-te'],
    ['a repetition in capitals and not', 'k8#fQ7-K8#Fq7-k8#FQ7-K8#fq7-k8#'],
    ['two that alternate', 'p4$Zw9p4$Zw9XXp4$Zw9p4$Zw9XXp4$Zw9'],
    ['words in base64', Buffer.from('this is my secret key for tokens').toString('base64')],
    ['words in base64url', Buffer.from('supersecretkeysupersecretkey??>').toString('base64url')],
    ['words in hexadecimal digits', Buffer.from('my secret key is secret').toString('hex')],
    ['digits', '83726150948372615094837261509483'],
    ['one character', 'x'.repeat(64)],
  ])('is too little for %s', (_what, secret) => {
    expect(estimatedBits(secret)).toBeLessThan(112);
    expect(hasBits(secret, 112)).toBe(false);
  });

  it.each(['correct-horse-battery-staple', 'k8fq-w3zt-m5xv-p9jd', 'Tr0ub4dor&3', ''])(
    'is judged alike with and without the lists: %s',
    (secret) => {
      for (let bits = 1; bits < 128; bits++) {
        expect([bits, hasBits(secret, bits)]).toEqual([bits, estimatedBits(secret) >= bits]);
      }
    },
  );

  it.each([
    'a-string-secret-at-least-256-bits-long',
    '404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970',
    // FastAPI's tutorial, Flask's documentation, Directus, and the list of wallarm/jwt-secrets.
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
    '6116487b-cda1-52c2-b5b5-c8022c45e263',
    '16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef',
    'django-insecure-8v(2k$q1z!p0w)x7c3m@n5b9',
    Buffer.from('reallyreallyreallyreallyverysafe').toString('base64'),
    createHash('sha256').update('password').digest('hex'),
    createHash('sha512').update('qwerty').digest('hex').toUpperCase(),
  ])('is none where it is published: %s', (secret) => {
    expect(isWellKnown(secret)).toBe(true);
  });
});

it.each([
  [12, 250, 'ok', undefined],
  [12, 100, 'ok', undefined],
  [12, 500, 'ok', undefined],
  [10, 60, 'warn', 'set BCRYPT_COST=13, for 100 to 500 ms'],
  [12, 900, 'warn', 'set BCRYPT_COST=11, for 100 to 500 ms'],
  [14, 2_100, 'fail', 'set BCRYPT_COST=11, for 100 to 500 ms'],
  [10, 900, 'warn', 'this machine is too slow for the lowest cost'],
  [16, 30, 'ok', undefined],
  [4, 1, 'fail', 'set BCRYPT_COST to 10 or more: less is for tests'],
])('judges cost %i in %i ms: %s', (cost, millis, status, advice) => {
  expect(hashingFinding(cost, millis)).toMatchObject(advice ? { status, advice } : { status });
});

it.each([
  [10_000, 10_000, 10_050, 'ok'],
  [9_500, 10_000, 10_050, 'ok'],
  [12_000, 10_000, 10_050, 'warn'],
  [8_000, 10_000, 10_050, 'warn'],
  [41_000, 10_000, 10_050, 'fail'],
  // The answer took long, so the time is only known to lie in between.
  [15_000, 10_000, 90_000, 'ok'],
])('judges the time %i, asked from %i to %i: %s', (database, before, after, status) => {
  expect(clockFinding(database, before, after).status).toBe(status);
});

describe('the network', () => {
  const found = (settings: Record<string, string>) => {
    const config = Config.load({ JWT_SECRET_KEY: randomBytes(32).toString('hex'), ...settings });
    return Object.fromEntries(checkNetwork(config).map(({ check, status }) => [check, status]));
  };
  const production = { NODE_ENV: 'production' };

  it.each([
    [{}, 'ok'],
    [{ ...production }, 'fail'],
    [{ ...production, HOST: 'localhost', TRUST_PROXY: '1' }, 'ok'],
    [{ ...production, HOST: '0.0.0.0' }, 'warn'],
    [{ ...production, HOST: '0.0.0.0', TRUST_PROXY: '1' }, 'warn'],
    [{ ...production, HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.0/8' }, 'ok'],
    [{ ...production, TRUST_PROXY: '10.0.0.0/8' }, 'fail'],
    [{ ...production, TRUST_PROXY: '10.0.0.0/8,127.0.0.1' }, 'ok'],
    [{ ...production, HOST: '::1', TRUST_PROXY: '::1' }, 'ok'],
  ] as [Record<string, string>, string][])('has proxies that fit %j: %s', (settings, status) => {
    expect(found(settings).proxies).toBe(status);
  });

  it('has production where others reach it, and origins with TLS', () => {
    expect(found({ HOST: '0.0.0.0' }).mode).toBe('warn');
    expect(found({ HOST: '127.1.2.3' }).mode).toBe('ok');
    expect(found({ ...production, HOST: '0.0.0.0' }).mode).toBe('ok');
    const origins = 'https://a.example,http://b.example';
    expect(found({ CORS_ORIGINS: origins }).origins).toBe('ok');
    expect(found({ ...production, CORS_ORIGINS: origins }).origins).toBe('fail');
    expect(found({ ...production, CORS_ORIGINS: 'https://a.example' }).origins).toBe('ok');
  });
});
