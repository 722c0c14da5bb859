import { createPublicKey, createSecretKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { readCompactJws } from './compact-jws.js';

const dir = process.env.CORPORA_DIR;

interface Group {
  public?: JsonWebKey;
  private: JsonWebKey & { alg?: string };
  tests: { tcId: number; jws: unknown; result: string }[];
}

const ALGORITHMS = /^(HS|RS|PS|ES)(256|384|512)$/;

/** Verifies a token as the server does: the strict form first, then jsonwebtoken with one algorithm. */
function verify(token: unknown, { public: publicKey, private: privateKey }: Group): boolean {
  const jwk = publicKey ?? privateKey;
  const algorithm = (jwk.alg ?? privateKey.alg ?? '') as jwt.Algorithm;
  try {
    if (typeof token !== 'string' || !ALGORITHMS.test(algorithm)) return false;
    const header = readCompactJws(token);
    if (header.alg !== algorithm) return false;
    const key =
      jwk.kty === 'oct'
        ? createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
        : createPublicKey({ key: jwk, format: 'jwk' });
    jwt.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true });
    return true;
  } catch {
    return false;
  }
}

describe('readCompactJws', () => {
  const b64 = (text: string) => Buffer.from(text).toString('base64url');

  it('reads the header', () => {
    expect(readCompactJws(`${b64('{"alg":"HS256","x":{"a":"b:c"}}')}.e30.AA`)).toEqual({
      alg: 'HS256',
      x: { a: 'b:c' },
    });
  });

  it.each([
    ['', 'nothing'],
    [`${b64('{"alg":1}')}.e30.AA`, 'alg of another type'],
    [`${b64('{}')}.e30.AA`, 'no alg'],
    [`${b64('[]')}.e30.AA`, 'a list'],
    [`${b64('null')}.e30.AA`, 'null'],
    [`${b64('{"alg":"HS256","alg":"none"}')}.e30.AA`, 'alg twice'],
    [`${b64('{"alg":"HS256","\\u0061lg":"none"}')}.e30.AA`, 'alg twice, once escaped'],
    [`${b64('{"alg":"HS256","crit":[]}')}.e30.AA`, 'crit'],
    [`${b64('{"alg":"HS256"}')}.e30.AB`, 'bits past the end'],
    [`${b64('{"alg":"HS256"}')}.e30.AA=`, 'padding'],
    [`${b64('{"alg":"HS256"}')}.e30.AA\n`, 'a line end'],
    [`${b64('{"alg":"HS256"}')}.e3+/.AA`, 'the other alphabet'],
    ['/w.e30.AA', 'bytes that are no text'],
  ])('refuses %j (%s)', (token) => {
    expect(() => readCompactJws(token)).toThrow('not a well-formed JSON Web Token');
  });

  if (!dir) {
    it.skip('Wycheproof (left out: CORPORA_DIR is not set)', () => undefined);
    return;
  }

  it('holds against Wycheproof: no invalid signature passes but the two known', () => {
    const file = join(dir, 'wycheproof-json_web_signature.json');
    const { testGroups } = JSON.parse(readFileSync(file, 'utf8')) as { testGroups: Group[] };
    const accepted: number[] = [];
    let invalid = 0;
    let valid = 0;
    for (const group of testGroups) {
      for (const { tcId, jws, result } of group.tests) {
        const good = verify(jws, group);
        if (result === 'valid') valid += Number(good);
        else {
          invalid++;
          if (good) accepted.push(tcId);
        }
      }
    }
    expect(invalid).toBeGreaterThan(300);
    expect(valid).toBeGreaterThan(20);
    // 367 and 370 are, byte for byte, the valid 357.
    expect(accepted.filter((id) => id !== 367 && id !== 370)).toEqual([]);
  });
});
