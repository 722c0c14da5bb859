import { createPrivateKey } from 'node:crypto';
import { parseEnv } from 'node:util';
import { Config } from '../config/config.js';
import { JWT_ALGORITHMS } from '../config/tokens.settings.js';
import { generateKeys } from './generate.js';
import { Keyring } from './keyring.js';

describe('generateKeys', () => {
  it.each(JWT_ALGORITHMS)('makes for %s what the settings take, on one line each', (algorithm) => {
    const text = generateKeys(algorithm);
    const env = parseEnv(text) as Record<string, string>;
    const hmac = algorithm.startsWith('HS');
    const pair = hmac ? [] : ['JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY'];
    expect(Object.keys(env).sort()).toEqual(['JWT_ALGORITHM', ...pair, 'JWT_SECRET_KEY'].sort());
    const keyring = new Keyring(Config.load({ NODE_ENV: 'production', ...env }));
    expect(keyring.algorithm).toBe(algorithm);
    const [blank, comment, ...settings] = text.split('\n');
    expect([blank, settings.pop()]).toEqual(['', '']);
    expect(comment).toMatch(new RegExp(`^# ${algorithm} .*: kid=${keyring.kid}$`));
    expect(settings).toEqual(
      settings.map(() => expect.stringMatching(/^JWT_[A-Z_]+=(\S+|"[^"\n]+")$/) as string),
    );
    expect(settings).toHaveLength(Object.keys(env).length);
    if (/^[RP]S/.test(algorithm)) {
      const { asymmetricKeyDetails } = createPrivateKey(env.JWT_PRIVATE_KEY ?? '');
      expect(asymmetricKeyDetails?.modulusLength).toBe(3072);
    }
    // Docker's --env-file keeps the quotes and the \n as they are.
    const asDocker = Object.fromEntries(
      settings.map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) as [string, string]),
    );
    expect(new Keyring(Config.load(asDocker)).kid).toBe(keyring.kid);
  });

  it('makes another each time', () => {
    expect(generateKeys('ES256')).not.toBe(generateKeys('ES256'));
    expect(generateKeys('HS256')).not.toBe(generateKeys('HS256'));
  });

  it.each([undefined, '', 'Ed25519', 'none', 'constructor', 'ES521'])('refuses %j', (name) => {
    expect(() => generateKeys(name)).toThrow(`Name one algorithm of ${JWT_ALGORITHMS.join(', ')}.`);
  });
});
