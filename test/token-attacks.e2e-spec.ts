import { sign as signBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import { User } from '../src/users/user.entity.js';
import { keyPair } from './support/keys.js';
import { now, type Server, startServer } from './support/server.js';
import { claimsOf, headerOf, hmac, part } from './support/tokens.js';

const pairs = { RS256: keyPair('RS256'), ES256: keyPair('ES256') };
type Name = 'HS256' | keyof typeof pairs;
const NAMES: Name[] = ['HS256', 'RS256', 'ES256'];

const servers = {} as Record<Name, Server>;
const tokens = {} as Record<Name, { jwt: string; refresh_token: string }>;
beforeAll(async () => {
  for (const name of NAMES) {
    const settings: Record<string, string> = name === 'HS256' ? {} : pairs[name].settings;
    servers[name] = await startServer(settings);
    await servers[name].register('ada');
    tokens[name] = await servers[name].login('ada');
  }
});
afterAll(() => Promise.all(NAMES.map((name) => servers[name].stop())));

const partsOf = (name: Name) => tokens[name].jwt.split('.') as [string, string, string];

/** The signature that a holder of the key would make, whatever the header says. */
function signatureOf(name: Name, content: string): string {
  if (name === 'HS256') return hmac(content);
  const key = { key: pairs[name].privateKey, dsaEncoding: 'ieee-p1363' as const };
  return signBytes('sha256', Buffer.from(content), key).toString('base64url');
}

/** A well-signed token of exactly this header and payload, texts or values. */
function signed(
  name: Name,
  header: unknown,
  payload: unknown = claimsOf(tokens[name].jwt),
): string {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${signatureOf(name, content)}`;
}
/** A well-signed token with other fields in its header. */
const withHeader = (name: Name, fields: object) =>
  signed(name, { ...headerOf(tokens[name].jwt), ...fields });
/** A well-signed token with `text` in the place of its expiry. */
const withExpiry = (name: Name, text: string) =>
  signed(
    name,
    headerOf(tokens[name].jwt),
    JSON.stringify({ ...claimsOf(tokens[name].jwt), exp: 0 }).replace('"exp":0', `"exp":${text}`),
  );

async function expectCode(name: Name, token: string, code: string): Promise<void> {
  const response = await servers[name].get('/protected', `Bearer ${token}`);
  expect([response.status, response.body]).toEqual([
    401,
    { msg: expect.any(String) as string, code },
  ]);
  expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
}

describe.each(NAMES)('a server that signs by %s', (name) => {
  it('takes what its key signed, so that the refusals below mean something', async () => {
    await servers[name].get('/protected', `Bearer ${withHeader(name, {})}`).expect(200);
    await servers[name].get('/protected', `Bearer ${withExpiry(name, `${now() + 9}`)}`).expect(200);
  });

  const caseless = ['none', 'None', 'NONE', 'nOnE', 'noNe', 'none ', ' none', 'none\0', 'nоne'];
  it.each([...caseless, '', 'null', 'HS1', 'EdDSA', '__proto__', 'constructor'])(
    'takes no alg %j, with or without a signature',
    async (alg) => {
      const token = withHeader(name, { alg });
      const [header = '', payload = '', signature = ''] = token.split('.');
      await expectCode(name, token, 'token_algorithm_invalid');
      await expectCode(name, `${header}.${payload}.`, 'token_algorithm_invalid');
      await expectCode(name, `${header}.${payload}`, 'token_malformed');
      await expectCode(name, `${header}..${signature}`, 'token_algorithm_invalid');
    },
  );

  it.each([null, undefined, 0, false, true, [], ['none'], {}])(
    'takes no alg that is %j instead of a name',
    async (alg) => {
      const token = withHeader(name, { alg });
      await expectCode(name, token, 'token_malformed');
      await expectCode(name, token.replace(/[^.]+$/, ''), 'token_malformed');
    },
  );

  const others = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'ES256'];
  it.each(others.filter((alg) => alg !== name))('takes no %s', async (alg) => {
    await expectCode(name, withHeader(name, { alg }), 'token_algorithm_invalid');
  });

  it.each([
    ['../../../../dev/null'],
    ['/dev/null'],
    ['file:///dev/null'],
    ['https://evil.example/key.pem'],
    ["x' UNION SELECT 'secret' -- "],
    ["'; DROP TABLE users; --"],
    ['| sleep 10'],
    ['$(sleep 10)'],
    ['__proto__'],
    ['constructor'],
    ['toString'],
    ['\0'],
    [''],
    [' '],
    ['x'.repeat(4_000)],
    [0],
    [null],
    [true],
    [{}],
    [[]],
  ])('takes no kid %.60j', async (kid) => {
    // Signed by the empty secret, too, which is what a file such as /dev/null would give.
    await expectCode(name, withHeader(name, { kid }), 'token_signature_invalid');
    const content = `${part({ ...headerOf(tokens[name].jwt), kid, alg: name })}.${partsOf(name)[1]}`;
    await expectCode(name, `${content}.${hmac(content, '')}`, 'token_signature_invalid');
  });

  it('takes no kid in a list, of 10 kB, twice, or with something around it', async () => {
    const { kid = '' } = headerOf(tokens[name].jwt);
    for (const other of [[kid], `${kid} `, `${kid}\0`, kid.slice(1), kid.toLowerCase(), { kid }]) {
      await expectCode(name, withHeader(name, { kid: other }), 'token_signature_invalid');
    }
    await expectCode(name, withHeader(name, { kid: 'x'.repeat(10_000) }), 'token_malformed');
    const twice = JSON.stringify(headerOf(tokens[name].jwt)).replace('{', '{"kid":"x",');
    await expectCode(name, signed(name, twice), 'token_malformed');
  });

  it.each([
    ['unknown', { crit: ['x'], x: 1 }],
    ['known', { crit: ['exp'], exp: now() + 60 }],
    ['empty', { crit: [] }],
    ['null', { crit: null }],
    ['b64', { crit: ['b64'], b64: false }],
    ['b64 alone', { b64: false }],
  ])('takes no crit: %s', async (_what, fields) => {
    await expectCode(name, withHeader(name, fields), 'token_malformed');
  });

  it.each(['iss', 'sub', 'exp', 'roles', 'aud', 'sid', 'ver', 'jti', 'x'])(
    'takes no claim %s twice, in either order',
    async (claim) => {
      const claims = { ...claimsOf(tokens[name].jwt), aud: 'a', x: 1 } as Record<string, unknown>;
      const text = JSON.stringify(claims);
      const own = `"${claim}":${JSON.stringify(claims[claim])}`;
      const escaped = `"\\u${claim.charCodeAt(0).toString(16).padStart(4, '0')}${claim.slice(1)}":0`;
      for (const doubled of [
        text.replace('{', `{"${claim}":0,`),
        text.replace('{', `{${escaped},`),
        text.replace(own, `${own},${own}`),
      ]) {
        await expectCode(
          name,
          signed(name, headerOf(tokens[name].jwt), doubled),
          'token_malformed',
        );
      }
      // If the last expiry is over, that is seen first.
      const code = { exp: 'token_expired' }[claim];
      const last = signed(name, headerOf(tokens[name].jwt), text.replace(/}$/, `,"${claim}":0}`));
      await expectCode(name, last, code ?? 'token_malformed');
    },
  );

  it.each([
    ['a text', `"${now() + 600}"`, 'token_malformed'],
    ['a fraction', `${now() + 600}.5`, 'token_claims_invalid'],
    ['1e400', '1e400', 'token_claims_invalid'],
    ['-1e400', '-1e400', 'token_expired'],
    ['negative', '-1', 'token_expired'],
    ['0', '0', 'token_expired'],
    ['past what a number holds', '9007199254740993', 'token_claims_invalid'],
    ['null', 'null', 'token_malformed'],
    ['true', 'true', 'token_malformed'],
    ['a list', `[${now() + 600}]`, 'token_malformed'],
    ['an object', '{}', 'token_malformed'],
    ['no JSON', 'NaN', 'token_malformed'],
    ['a second ago', `${now() - 1}`, 'token_expired'],
  ])('takes no exp that is %s', async (_what, text, code) => {
    await expectCode(name, withExpiry(name, text), code);
  });

  it('keeps refresh and access tokens apart', async () => {
    const { jwt: access, refresh_token: refresh } = tokens[name];
    await expectCode(name, refresh, 'token_malformed');
    await expectCode(name, refresh.split('.').slice(1).join('.'), 'token_malformed');
    const response = await servers[name].http.post('/refresh').send({ refresh_token: access });
    expect([response.status, response.body]).toEqual([
      401,
      { msg: 'The refresh token is not valid', code: 'refresh_token_invalid' },
    ]);
    await expectCode(name, withHeader(name, { typ: 'rt+jwt' }), 'token_type_invalid');
    await expectCode(name, withHeader(name, { typ: 'AT+JWT' }), 'token_type_invalid');
  });
});

describe('a public key', () => {
  const { publicKey, publicPem } = pairs.RS256;
  const der = (type: 'spki' | 'pkcs1') => publicKey.export({ format: 'der', type });
  const jwk = publicKey.export({ format: 'jwk' });
  it.each<[string, string | Buffer]>([
    ['the PEM', publicPem],
    ['the PEM without its last line end', publicPem.trim()],
    ['the PEM with CRLF', publicPem.replaceAll('\n', '\r\n')],
    ['the PEM of PKCS #1', publicKey.export({ format: 'pem', type: 'pkcs1' })],
    ['the DER', der('spki')],
    ['the DER of PKCS #1', der('pkcs1')],
    ['the DER in base64', der('spki').toString('base64')],
    ['the JWK', JSON.stringify(jwk)],
    ['the modulus', Buffer.from(jwk.n ?? '', 'base64url')],
    ['nothing', ''],
  ])('is no secret for HS*, as %s', async (_what, key) => {
    for (const bits of ['256', '384', '512']) {
      const content = `${part({ ...headerOf(tokens.RS256.jwt), alg: `HS${bits}` })}.${partsOf('RS256')[1]}`;
      const forged = `${content}.${hmac(content, key, `sha${bits}`)}`;
      await expectCode('RS256', forged, 'token_algorithm_invalid');
    }
  });

  it('takes no signature of zeros (CVE-2022-21449), nor one of another form', async () => {
    const content = partsOf('ES256').slice(0, 2).join('.');
    const real = Buffer.from(partsOf('ES256')[2], 'base64url');
    const order = Buffer.from(
      'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
      'hex',
    );
    for (const bytes of [
      Buffer.alloc(64),
      Buffer.concat([order, order]),
      Buffer.concat([Buffer.alloc(32), order]),
      Buffer.concat([real.subarray(0, 32), Buffer.alloc(32)]),
      Buffer.alloc(64, 0xff),
      real.subarray(0, 63),
      Buffer.concat([real, Buffer.alloc(1)]),
      Buffer.from('3006020100020100', 'hex'),
      signBytes('sha256', Buffer.from(content), pairs.ES256.privateKey),
    ]) {
      await expectCode(
        'ES256',
        `${content}.${bytes.toString('base64url')}`,
        'token_signature_invalid',
      );
    }
  });

  it('verifies by the algorithm of the setting alone, though RSA could do more', async () => {
    for (const algorithm of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
      const header = { ...headerOf(tokens.RS256.jwt), alg: algorithm };
      const options = { algorithm, header };
      const token = jwt.sign(
        JSON.stringify(claimsOf(tokens.RS256.jwt)),
        pairs.RS256.privateKey,
        options,
      );
      await expectCode('RS256', token, 'token_algorithm_invalid');
    }
  });
});

describe('a key that the token brings along', () => {
  let listener: HttpServer;
  const hits: string[] = [];
  let url: string;
  const mine = keyPair('RS256');
  beforeAll(async () => {
    listener = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: [mine.publicKey.export({ format: 'jwk' })] }));
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    listener.close();
  });

  const attacks = (): [string, object][] => [
    ['jku', { jku: `${url}/jku` }],
    ['x5u', { x5u: `${url}/x5u` }],
    ['jwk', { jwk: mine.publicKey.export({ format: 'jwk' }) }],
    ['x5c', { x5c: [mine.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] }],
    ['x5t', { x5t: 'AAAA', 'x5t#S256': 'AAAA' }],
    ['kid as an address', { kid: `${url}/kid` }],
  ];
  it('is not looked at', async () => {
    const sign = (fields: object, key: KeyObject) =>
      jwt.sign(JSON.stringify(claimsOf(tokens.RS256.jwt)), key, {
        algorithm: 'RS256',
        header: { ...headerOf(tokens.RS256.jwt), ...fields },
      });
    for (const [what, fields] of attacks()) {
      await expectCode('RS256', sign(fields, mine.privateKey), 'token_signature_invalid');
      if ('kid' in fields) continue;
      // And it does no harm in a token of ours.
      const { status } = await servers.RS256.get(
        '/protected',
        `Bearer ${sign(fields, pairs.RS256.privateKey)}`,
      );
      expect([what, status]).toEqual([what, 200]);
    }
    expect(hits).toEqual([]);
    // The listener does listen.
    await fetch(`${url}/jku`);
    expect(hits).toEqual(['/jku']);
  });
});

describe('a token of a deleted user', () => {
  it('opens nothing of the account, nor does its refresh token', async () => {
    const server = servers.HS256;
    const { id } = await server.register('grace');
    const { jwt: token, refresh_token: refresh } = await server.login('grace');
    await server.withDatabase((db) => db.getRepository(User).delete({ id }));
    const me = await server.get('/me', `Bearer ${token}`);
    expect([me.status, me.body, me.headers['www-authenticate']]).toEqual([
      401,
      { msg: 'The token has been revoked', code: 'token_revoked' },
      'Bearer error="invalid_token"',
    ]);
    const again = await server.http.post('/refresh').send({ refresh_token: refresh });
    expect([again.status, again.body as unknown]).toEqual([
      401,
      { msg: 'The refresh token is not valid', code: 'refresh_token_invalid' },
    ]);
  });
});
