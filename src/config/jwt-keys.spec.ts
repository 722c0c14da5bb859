import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, SECRET, wrong } from './settings.fixture.js';

const pem = (key: { export(options: object): unknown }, type: string) =>
  key.export({ format: 'pem', type }) as string;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const smallExponent = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed448 = generateKeyPairSync('ed448');
const RSA = pem(rsa.privateKey, 'pkcs8');
const P256 = pem(p256.privateKey, 'pkcs8');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('the keys', () => {
  it('refuses secrets that are short or monotonous for the algorithm', () => {
    expect(wrong({ JWT_SECRET_KEY: 'x'.repeat(64) })).toEqual(['JWT_SECRET_KEY']);
    expect(wrong({ JWT_SECRET_KEY: SECRET.slice(0, 31) })).toEqual(['JWT_SECRET_KEY']);
    expect(wrong({ JWT_SECRET_KEY: SECRET.slice(0, 32) })).toEqual([]);
    expect(wrong({ JWT_ALGORITHM: 'HS512' })).toEqual(['JWT_SECRET_KEY']);
    expect(wrong({ JWT_ALGORITHM: 'HS384', JWT_SECRET_KEY: SECRET + SECRET })).toEqual([]);
  });

  it('takes keys as PEM, as PEM on one line and as a path', () => {
    const path = join(dir, 'key.pem');
    writeFileSync(path, RSA);
    const parameters =
      '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const oneLine = RSA.replaceAll('\n', '\\n');
    for (const key of [RSA, oneLine, `"${oneLine}"`, parameters + RSA, path]) {
      const { jwt } = load({ JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: key });
      expect(jwt.verifyKeys[0].key.type).toBe('public');
    }
  });

  it.each([
    ['no key', 'RS256', {}, 'JWT_PRIVATE_KEY'],
    [
      'a short RSA key',
      'RS256',
      { JWT_PRIVATE_KEY: pem(shortRsa.privateKey, 'pkcs8') },
      'JWT_PRIVATE_KEY',
    ],
    ['an EC key for RSA', 'RS256', { JWT_PRIVATE_KEY: P256 }, 'JWT_PRIVATE_KEY'],
    ['an RSA key for EC', 'ES256', { JWT_PRIVATE_KEY: RSA }, 'JWT_PRIVATE_KEY'],
    ['another curve', 'ES384', { JWT_PRIVATE_KEY: P256 }, 'JWT_PRIVATE_KEY'],
    [
      'a public key as private',
      'RS256',
      { JWT_PRIVATE_KEY: pem(rsa.publicKey, 'spki') },
      'JWT_PRIVATE_KEY',
    ],
    ['no PEM', 'RS256', { JWT_PRIVATE_KEY: '/nowhere/key.pem' }, 'JWT_PRIVATE_KEY'],
    [
      'a foreign public key',
      'ES256',
      {
        JWT_PRIVATE_KEY: P256,
        JWT_PUBLIC_KEY: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, 'spki'),
      },
      'JWT_PUBLIC_KEY',
    ],
    [
      'a private key as public',
      'ES256',
      { JWT_PRIVATE_KEY: P256, JWT_PUBLIC_KEY: P256 },
      'JWT_PUBLIC_KEY',
    ],
  ])('refuses %s', (_what, algorithm, keys, name) => {
    expect(wrong({ JWT_ALGORITHM: algorithm, ...keys })).toEqual([name]);
  });

  it.each([
    ['a pair beside HS256', { JWT_ALGORITHM: 'HS256', JWT_PRIVATE_KEY: P256 }, ['JWT_PRIVATE_KEY']],
    ['a public key alone', { JWT_PUBLIC_KEY: pem(p256.publicKey, 'spki') }, ['JWT_PUBLIC_KEY']],
    [
      'a pair of no algorithm',
      { JWT_PRIVATE_KEY: pem(k1.privateKey, 'pkcs8') },
      ['JWT_PRIVATE_KEY'],
    ],
    ['a pair that cannot be read', { JWT_PRIVATE_KEY: '/nowhere/key.pem' }, ['JWT_PRIVATE_KEY']],
  ])('refuses %s, which would do nothing', (_what, keys, names) => {
    expect(wrong(keys)).toEqual(names);
  });

  it('takes the matching public key', () => {
    const keys = { JWT_PRIVATE_KEY: P256, JWT_PUBLIC_KEY: pem(p256.publicKey, 'spki') };
    expect(wrong({ JWT_ALGORITHM: 'ES256', ...keys })).toEqual([]);
  });

  describe('previous keys', () => {
    const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const spki = (key: { export(options: object): unknown }) => pem(key, 'spki');
    const oneLine = (text: string) => text.replaceAll('\n', '\\n');
    const algorithms = (env: Record<string, string>) =>
      load(env).jwt.verifyKeys.map(({ algorithm }) => algorithm);
    const OLD = 'old-'.concat(SECRET);
    const ES256 = { JWT_ALGORITHM: 'ES256', JWT_PRIVATE_KEY: P256 };

    it('are separated by commas or white space, or stand in a JSON list', () => {
      const secrets = (list: string) =>
        load({ JWT_PREVIOUS_SECRET_KEYS: list })
          .jwt.secrets.slice(1)
          .map((key) => key.export().toString());
      expect(secrets(`${OLD},x${OLD}`)).toEqual([OLD, `x${OLD}`]);
      expect(secrets(` ${OLD} ,\n x${OLD}, `)).toEqual([OLD, `x${OLD}`]);
      const odd = [`a, [b] ${OLD}`, `[${OLD}`, `"${OLD}`];
      expect(secrets(JSON.stringify(odd))).toEqual(odd);
      for (const list of [`[${OLD}`, '["a"', '[1]', '[[]]']) {
        expect(wrong({ JWT_PREVIOUS_SECRET_KEYS: list })).toEqual(['JWT_PREVIOUS_SECRET_KEYS']);
      }
    });

    it('are PEMs and paths in one list, line breaks written or not', () => {
      const path = join(dir, 'previous.pem');
      writeFileSync(path, spki(rsa.publicKey));
      const [ec, ec384] = [spki(p256.publicKey), spki(P384.publicKey)];
      const forms = [
        `${ec}${ec384}${path}`,
        `${oneLine(ec)}${oneLine(ec384)},${path}`,
        ` ${oneLine(ec)} , ${ec384} ${path} `,
        JSON.stringify([ec, oneLine(ec384), path]),
      ];
      for (const list of forms) {
        const env = { JWT_PREVIOUS_PUBLIC_KEYS: list };
        expect(algorithms(env)).toEqual(['HS256', 'ES256', 'ES384', 'RS256']);
      }
    });

    it('have one algorithm each: the curve’s, the current one, or the one before the key', () => {
      const RSA_PUBLIC = spki(rsa.publicKey);
      const publics = { JWT_PREVIOUS_PUBLIC_KEYS: RSA_PUBLIC };
      expect(algorithms({ ...ES256, ...publics })).toEqual(['ES256', 'RS256']);
      const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const PS256 = { JWT_ALGORITHM: 'PS256', JWT_PRIVATE_KEY: pem(other, 'pkcs8') };
      expect(algorithms({ ...PS256, ...publics })).toEqual(['PS256', 'PS256']);
      expect(algorithms({ ...PS256, JWT_PREVIOUS_PUBLIC_KEYS: `RS512:${RSA_PUBLIC}` })).toEqual([
        'PS256',
        'RS512',
      ]);
      expect(algorithms({ ...ES256, JWT_PREVIOUS_SECRET_KEYS: OLD })).toEqual(['ES256', 'HS256']);
      const HS512 = { JWT_ALGORITHM: 'HS512', JWT_SECRET_KEY: SECRET + SECRET };
      expect(algorithms({ ...HS512, JWT_PREVIOUS_SECRET_KEYS: OLD + OLD })).toEqual([
        'HS512',
        'HS512',
      ]);
      expect(wrong({ ...HS512, JWT_PREVIOUS_SECRET_KEYS: OLD })).toEqual([
        'JWT_PREVIOUS_SECRET_KEYS',
      ]);
      expect(algorithms({ ...HS512, JWT_PREVIOUS_SECRET_KEYS: `HS256:${OLD}` })).toEqual([
        'HS512',
        'HS256',
      ]);
    });

    it('may hold the current key again, but not under another algorithm', () => {
      expect(algorithms({ JWT_PREVIOUS_SECRET_KEYS: `${SECRET},${OLD},${OLD}` })).toEqual([
        'HS256',
        'HS256',
      ]);
      const same = { JWT_PREVIOUS_SECRET_KEYS: `HS256:${SECRET + SECRET}` };
      expect(wrong({ JWT_ALGORITHM: 'HS512', JWT_SECRET_KEY: SECRET + SECRET, ...same })).toEqual([
        'JWT_PREVIOUS_SECRET_KEYS',
      ]);
      const RS256 = { JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: RSA };
      const asPss = { JWT_PREVIOUS_PUBLIC_KEYS: `PS256:${spki(rsa.publicKey)}` };
      expect(wrong({ ...RS256, ...asPss })).toEqual(['JWT_PREVIOUS_PUBLIC_KEYS']);
    });

    it.each([
      ['SECRET', 'a short secret', `${OLD},short`],
      ['SECRET', 'a secret of one character', 'x'.repeat(64)],
      ['SECRET', 'a secret that a comma cuts in two', `${SECRET.slice(9)},${SECRET}`],
      ['SECRET', 'a secret with a public key’s algorithm', `RS256:${OLD}`],
      ['SECRET', 'a public key', spki(p256.publicKey)],
      ['PUBLIC', 'a private key', P256],
      ['PUBLIC', 'a secret', OLD],
      ['PUBLIC', 'a short RSA key', spki(shortRsa.publicKey)],
      ['PUBLIC', 'an exponent of 3', spki(smallExponent.publicKey)],
      ['PUBLIC', 'a curve of no algorithm', spki(k1.publicKey)],
      ['PUBLIC', 'a kind of no algorithm', spki(ed448.publicKey)],
      ['PUBLIC', 'another curve than it says', `ES384:${spki(p256.publicKey)}`],
      ['PUBLIC', 'a public key as a secret', `HS256:${spki(p256.publicKey)}`],
      ['PUBLIC', 'one wrong of two', `${spki(p256.publicKey)} /nowhere.pem`],
    ])('in JWT_PREVIOUS_%s_KEYS are refused: %s', (kind, _what, list) => {
      expect(wrong({ [`JWT_PREVIOUS_${kind}_KEYS`]: list })).toEqual([`JWT_PREVIOUS_${kind}_KEYS`]);
    });

    it('say which entry is wrong, and never what it holds', () => {
      expect(() => load({ JWT_PREVIOUS_SECRET_KEYS: `${OLD},canary` })).toThrow(
        'JWT_PREVIOUS_SECRET_KEYS: expected a random secret of at least 32 bytes for HS256, in ' +
          'entry 2 (a key with a comma or a space in it needs a JSON list)',
      );
    });

    it('and the current ones are all named where several are wrong', () => {
      expect(
        wrong({
          JWT_ALGORITHM: 'ES256',
          JWT_SECRET_KEY: 'short',
          JWT_PREVIOUS_SECRET_KEYS: 'short',
          JWT_PREVIOUS_PUBLIC_KEYS: '/nowhere',
        }),
      ).toEqual([
        'JWT_SECRET_KEY',
        'JWT_PRIVATE_KEY',
        'JWT_PREVIOUS_SECRET_KEYS',
        'JWT_PREVIOUS_PUBLIC_KEYS',
      ]);
    });
  });
});
