import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, ConfigError } from './config.js';
import { SETTINGS } from './settings.js';

const SECRET = '0123456789abcdefghijklmnopqrstuvwxyz';
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

const pem = (key: { export(options: object): unknown }, type: string) =>
  key.export({ format: 'pem', type }) as string;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const smallExponent = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed25519 = generateKeyPairSync('ed25519');
const RSA = pem(rsa.privateKey, 'pkcs8');
const P256 = pem(p256.privateKey, 'pkcs8');

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
      host: '127.0.0.1',
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
    ['JWT_INVALID_TOKEN_STATUS', '200'],
    ['BCRYPT_COST', '9'],
    ['BCRYPT_COST', '17'],
    ['TEST_BCRYPT_COST', '3'],
    ['TEST_BCRYPT_COST', '10'],
    ['PASSWORD_MIN_LENGTH', '7'],
    ['DATABASE_URL', 'mysql://x'],
    ['DATABASE_URL', 'sqlite:'],
    ['DATABASE_URL', 'sqlite::memory:'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://a.example/'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', 'on'],
    ['NODE_ENV', 'prod'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s', (name, value) => {
    expect(wrong({ [name]: value })).toEqual([name]);
  });

  it('counts an empty value as not set, but for the header type', () => {
    const config = load({ PORT: '', CORS_ORIGINS: '', JWT_HEADER_TYPE: '' });
    expect([config.port, config.jwt.headerType]).toEqual([3000, '']);
  });

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
    for (const key of [RSA, RSA.replaceAll('\n', '\\n'), path]) {
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
      ['PUBLIC', 'a kind of no algorithm', spki(ed25519.publicKey)],
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

  it('refuses test settings and made secrets in production', () => {
    expect(wrong({ NODE_ENV: 'production', TEST_BCRYPT_COST: '4' })).toEqual(['TEST_BCRYPT_COST']);
    expect(() => Config.load({ NODE_ENV: 'production', DATA_DIR: dir })).toThrow('JWT_SECRET_KEY');
  });

  it('makes a secret once', () => {
    const first = Config.load({ DATA_DIR: join(dir, 'made') });
    const second = Config.load({ DATA_DIR: join(dir, 'made') });
    expect([first.generatedSecretCreated, second.generatedSecretCreated]).toEqual([true, false]);
    expect(first.jwt.signingKey.equals(second.jwt.signingKey)).toBe(true);
  });
});

describe('the documentation', () => {
  it('lists every setting with its default, in the README and in .env.example', () => {
    const rows = Object.entries(SETTINGS).map(([name, schema]) => {
      const json = schema as unknown as { def: { type: string; defaultValue?: unknown } };
      const fallback = ['default', 'prefault'].includes(json.def.type)
        ? json.def.defaultValue
        : innerDefault(schema);
      const shown = fallback === undefined || fallback === '' ? '' : `\`${fallback as string}\``;
      return `| \`${name}\` | ${shown} | ${schema.description ?? ''} |`;
    });
    const readme = readFileSync('README.md', 'utf8').split('\n');
    const table = readme.filter((line) => /^\| `[A-Z_]+` +\|/.test(line));
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
