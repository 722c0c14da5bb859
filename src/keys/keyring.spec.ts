import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { fits, hmacKey } from '../config/key-material.js';
import { JWT_ALGORITHMS } from '../config/tokens.settings.js';
import { readCompactJws } from './compact-jws.js';
import { verifyEdDsa } from './eddsa.js';
import { keyId } from './key-id.js';
import { Keyring } from './keyring.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: { export(options: object): unknown }, type: string) =>
  key.export({ format: 'pem', type }) as string;
const text = expect.any(String) as string;
const OLD_SECRET = 'a secret of thirty-two bytes and more';

const keyring = new Keyring(
  Config.load({
    JWT_ALGORITHM: 'ES256',
    JWT_PRIVATE_KEY: pem(ec.privateKey, 'pkcs8'),
    JWT_PREVIOUS_PUBLIC_KEYS: `PS256:${pem(rsa.publicKey, 'spki')}`,
    JWT_PREVIOUS_SECRET_KEYS: JSON.stringify([OLD_SECRET]),
  }),
);
const kids = {
  ES256: keyring.kid,
  PS256: keyId(rsa.publicKey),
  HS256: keyId(hmacKey(Buffer.from(OLD_SECRET), 'HS256')),
};
const token = (header: object) =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.${'A'.repeat(86)}`;
const codeOf = (header: object) => {
  try {
    return keyring.keyFor(token({ typ: 'at+jwt', ...header })).type;
  } catch (error) {
    return error instanceof ApiError ? error.code : error;
  }
};

describe('Keyring', () => {
  it('finds each key by its id and lets it be used by its own algorithm alone', () => {
    const found = Object.entries(kids).flatMap(([own, kid]) =>
      JWT_ALGORITHMS.filter((alg) => !codeOf({ alg, kid })?.toString().startsWith('token_')).map(
        (alg) => [own, alg, codeOf({ alg, kid })],
      ),
    );
    expect(found).toEqual([
      ['ES256', 'ES256', 'public'],
      ['PS256', 'PS256', 'public'],
      ['HS256', 'HS256', 'secret'],
    ]);
    expect(codeOf({ alg: 'HS256', kid: kids.PS256 })).toBe('token_algorithm_invalid');
    expect(codeOf({ alg: 'ES256', kid: kids.HS256 })).toBe('token_algorithm_invalid');
    expect(codeOf({ alg: 'RS256', kid: kids.PS256 })).toBe('token_algorithm_invalid');
  });

  it.each(['__proto__', 'constructor', 'get', 'size', '', 0, null, true, [kids.ES256], {}])(
    'finds nothing for the id %j',
    (kid) => {
      expect(codeOf({ alg: 'ES256', kid })).toBe('token_signature_invalid');
    },
  );

  it('publishes public keys in the order of the settings, and nothing private', () => {
    expect(keyring.publicKeys).toEqual([
      { kty: 'EC', crv: 'P-256', x: text, y: text, kid: kids.ES256, alg: 'ES256', use: 'sig' },
      { kty: 'RSA', n: text, e: 'AQAB', kid: kids.PS256, alg: 'PS256', use: 'sig' },
    ]);
  });

  it('derives from the current secret, and from each that is accepted', () => {
    const [current, previous] = keyring.deriveAll('purpose', 'salt');
    expect(keyring.derive('purpose', 'salt')).toEqual(current);
    expect(previous).toEqual(
      new Keyring(Config.load({ JWT_SECRET_KEY: OLD_SECRET })).derive('purpose', 'salt'),
    );
    expect(keyring.derive('purpose', 'other')).not.toEqual(current);
    expect(keyring.derive('other', 'salt')).not.toEqual(current);
    expect(keyring.deriveAll('purpose', 'salt')).toHaveLength(2);
  });
});

const dir = process.env.CORPORA_DIR;

interface Group {
  public?: { keys: Jwk[] };
  private: { keys: Jwk[] };
  tests: { tcId: number; jws: string; result: string; flags: string[] }[];
}
type Jwk = JsonWebKey & { kid?: string; alg?: string; use?: string };

/** Tells whether the settings take the key that `jws` names, and the server then takes `jws`. */
function accepts(jws: string, { public: publics, private: privates }: Group): boolean {
  try {
    const { alg, kid } = readCompactJws(jws);
    const jwk = (publics ?? privates).keys.find((key) => key.kid === kid);
    const algorithm = JWT_ALGORITHMS.find((known) => known === jwk?.alg);
    if (!jwk || !algorithm || jwk.use !== 'sig' || alg !== algorithm) return false;
    const key =
      jwk.kty === 'oct'
        ? hmacKey(Buffer.from(jwk.k ?? '', 'base64url'), algorithm)
        : createPublicKey({ key: jwk, format: 'jwk' });
    if (key.type === 'public' && !fits(key, algorithm)) return false;
    if (algorithm === 'EdDSA') return verifyEdDsa(jws, key);
    jwt.verify(jws, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}

if (!dir) {
  it.skip('Wycheproof’s keys (left out: CORPORA_DIR is not set)', () => undefined);
} else {
  it('takes the good keys of Wycheproof and none that is weak or broken', () => {
    const file = readFileSync(join(dir, 'wycheproof-json_web_key.json'), 'utf8');
    const { testGroups } = JSON.parse(file) as { testGroups: Group[] };
    const verdicts = testGroups.flatMap((group) =>
      group.tests
        // Sets that mix kinds or name two keys alike: Latchkey reads keys, not sets.
        .filter(({ flags }) => !flags.includes('Ambiguous'))
        .map(({ tcId, jws, result }) => ({ tcId, result, accepted: accepts(jws, group) })),
    );
    expect(verdicts).toHaveLength(24);
    expect(verdicts.filter(({ accepted, result }) => accepted !== (result === 'valid'))).toEqual(
      [],
    );
  });
}
