import { createHmac, generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { Config } from '../src/config/config.js';
import { person } from './support/admins.js';
import { now, SECRET, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

let server: Server;
let token: string;
let userId: string;
beforeAll(async () => {
  server = await startServer();
  ({ id: userId } = await server.register('Ada'));
  ({ jwt: token } = await server.login('ada'));
});
afterAll(() => server.stop());

const get = (authorization?: string, from = server) => from.get('/protected', authorization);
const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token of exactly this header and payload text, correctly signed by HMAC-SHA-256. */
function signRaw(header: unknown, payload: unknown): string {
  const content = `${b64(header)}.${b64(payload)}`;
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`;
}
const headerOf = () => jwt.decode(token, { complete: true })?.header as jwt.JwtHeader;
const claimsOf = () => jwt.decode(token) as jwt.JwtPayload;

describe('GET /protected', () => {
  it('greets the user of a good token by the name as typed', async () => {
    const response = await get(`Bearer ${token}`);
    expect([response.status, response.body]).toEqual([200, { hello_from: 'Ada' }]);
  });

  it('carries the documented claims and header', () => {
    expect(claimsOf()).toEqual({
      iss: 'latchkey',
      sub: userId,
      username: 'Ada',
      auth_time: expect.any(Number) as number,
      roles: [],
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      ver: 0,
      iat: expect.any(Number) as number,
      nbf: claimsOf().iat,
      exp: (claimsOf().iat ?? 0) + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      client_id: 'latchkey',
    });
    expect(headerOf()).toEqual({
      alg: 'HS256',
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{22}$/) as string,
    });
  });

  it('misses the header', async () => {
    for (const value of [undefined, '']) {
      const response = await get(value);
      expect(response.status).toBe(401);
      expect(response.body).toEqual({
        msg: 'Missing Authorization Header',
        code: 'missing_authorization',
      });
      expect(response.headers['www-authenticate']).toBe('Bearer');
    }
  });

  it.each(['Basic YTpi', 'Bearer', 'JWT x', 'Bearer a b', 'Bearer a b c', 'a.b.c'])(
    'does not take the header %j',
    async (value) => {
      const response = await get(value);
      expect(response.status).toBe(401);
      expect(response.body).toEqual({
        msg: "Bad Authorization header. Expected value 'Bearer <JWT>'",
        code: 'malformed_authorization',
      });
      expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    },
  );

  it('takes the scheme in any case (RFC 9110, section 11.1)', async () => {
    expect((await get(`bearer ${token}`)).status).toBe(200);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const flip = (text: string) =>
    text.slice(0, -5) + (text.at(-5) === 'A' ? 'B' : 'A') + text.slice(-4);
  const parts = () => token.split('.') as [string, string, string];
  const refusals: [string, string, () => string][] = [
    ['token_expired', 'expired', () => forge(token, { exp: now() - 1 })],
    ['token_not_yet_valid', 'valid in a minute', () => forge(token, { nbf: now() + 60 })],
    ['token_signature_invalid', 'of another secret', () => forge(token, {}, {}, 'y'.repeat(40))],
    ['token_signature_invalid', 'with another signature', () => flip(token)],
    [
      'token_signature_invalid',
      'with other claims',
      () => [parts()[0], b64({ ...claimsOf(), roles: ['admin'] }), parts()[2]].join('.'),
    ],
    [
      'token_signature_invalid',
      'of another kid',
      () => forge(token, {}, { kid: '../../dev/null' }),
    ],
    ['token_signature_invalid', 'of kid __proto__', () => forge(token, {}, { kid: '__proto__' })],
    ['token_signature_invalid', 'without kid', () => jwt.sign(claimsOf(), SECRET)],
    ['token_signature_invalid', 'without signature', () => `${parts()[0]}.${parts()[1]}.`],
    ['token_malformed', 'of two parts', () => `${parts()[0]}.${parts()[1]}`],
    ['token_malformed', 'of four parts', () => `${token}.x`],
    ['token_malformed', 'that is no token', () => 'garbage'],
    ['token_malformed', 'with padding', () => `${token}=`],
    ['token_malformed', 'of 10 kB', () => `${token}${'A'.repeat(10_000)}`],
    ['token_malformed', 'with crit', () => forge(token, {}, { crit: ['exp'] })],
    ['token_malformed', 'with b64', () => forge(token, {}, { b64: true })],
    ['token_malformed', 'with a list as payload', () => signRaw(headerOf(), [claimsOf()])],
    [
      'token_malformed',
      'with a claim twice',
      () => signRaw(headerOf(), JSON.stringify(claimsOf()).replace('{', '{"sub":"x",')),
    ],
    [
      'token_malformed',
      'with a header name twice',
      () => signRaw(JSON.stringify(headerOf()).replace('{', '{"typ":"JWT",'), claimsOf()),
    ],
    [
      'token_algorithm_invalid',
      'of alg none',
      () => signRaw({ ...headerOf(), alg: 'none' }, claimsOf()),
    ],
    [
      'token_algorithm_invalid',
      'of alg nOnE',
      () => signRaw({ ...headerOf(), alg: 'nOnE' }, claimsOf()),
    ],
    ['token_algorithm_invalid', 'of HS512', () => forge(token, {}, { alg: 'HS512' })],
    [
      'token_algorithm_invalid',
      'of RS256 with its own jwk',
      () => {
        const jwk = rsa.publicKey.export({ format: 'jwk' });
        const header = { ...headerOf(), alg: 'RS256', jwk } as jwt.JwtHeader;
        return jwt.sign(claimsOf(), rsa.privateKey, { algorithm: 'RS256', header });
      },
    ],
    ['token_type_invalid', 'of type JWT', () => forge(token, {}, { typ: 'JWT' })],
    ['token_type_invalid', 'of type rt+jwt', () => forge(token, {}, { typ: 'rt+jwt' })],
    ['token_issuer_invalid', 'of another issuer', () => forge(token, { iss: 'evil' })],
    ['token_issuer_invalid', 'without issuer', () => forge(token, { iss: undefined })],
    ['token_audience_invalid', 'with an audience', () => forge(token, { aud: 'payments' })],
    ['token_audience_invalid', 'with a list of audiences', () => forge(token, { aud: ['a', 'b'] })],
    ['token_audience_invalid', 'with an empty audience', () => forge(token, { aud: '' })],
    ['token_audience_invalid', 'with no audience in a list', () => forge(token, { aud: [] })],
    ['token_audience_invalid', 'with null as audience', () => forge(token, { aud: null })],
    ['token_claims_invalid', 'without exp', () => forge(token, { exp: undefined })],
    ['token_claims_invalid', 'without sub', () => forge(token, { sub: undefined })],
    ['token_claims_invalid', 'with a number as sub', () => forge(token, { sub: 7 })],
    ['token_claims_invalid', 'without jti', () => forge(token, { jti: undefined })],
    ['token_claims_invalid', 'without ver', () => forge(token, { ver: undefined })],
    ['token_claims_invalid', 'with roles as text', () => forge(token, { roles: 'admin' })],
    ['token_claims_invalid', 'without nbf', () => forge(token, { nbf: undefined })],
    ['token_claims_invalid', 'without iat', () => forge(token, { iat: undefined })],
    [
      'token_claims_invalid',
      'with exp 1e400',
      () =>
        signRaw(
          headerOf(),
          JSON.stringify({ ...claimsOf(), exp: 0 }).replace('"exp":0', '"exp":1e400'),
        ),
    ],
  ];
  it.each(refusals)('answers %s to a token %s', async (code, _what, make) => {
    const response = await get(`Bearer ${make()}`);
    expect(response.body).toEqual({ msg: expect.any(String) as string, code });
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });

  it('keeps the quoted sentences', async () => {
    const expired = await get(`Bearer ${forge(token, { exp: now() - 1 })}`);
    const forged = await get(`Bearer ${flip(token)}`);
    expect([expired.body, forged.body]).toEqual([
      { msg: 'Token has expired', code: 'token_expired' },
      { msg: 'Signature verification failed', code: 'token_signature_invalid' },
    ]);
  });

  it('takes a token of a server whose clock is 25 s ahead', async () => {
    expect((await get(`Bearer ${forge(token, { nbf: now() + 25 })}`)).status).toBe(200);
  });
});

describe('settings of the token', () => {
  it('sets audience, expiry, issuer, identity claim, header and status', async () => {
    const other = await startServer({
      JWT_DECODE_AUDIENCE: 'shop',
      JWT_EXPIRES: '5m',
      JWT_ISSUER: 'https://id.example',
      JWT_IDENTITY_CLAIM: 'identity',
      JWT_HEADER_NAME: 'X-Token',
      JWT_HEADER_TYPE: '',
      JWT_INVALID_TOKEN_STATUS: '422',
    });
    try {
      const { id } = await other.register('ada');
      const { jwt: own } = await other.login('ada');
      const claims = jwt.decode(own) as jwt.JwtPayload;
      expect(claims).toMatchObject({ aud: 'shop', iss: 'https://id.example', identity: id });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
      const ask = async (value?: string) => {
        const request = other.http.get('/protected');
        const response = await (value === undefined ? request : request.set('x-token', value));
        return [response.status, (response.body as { code?: string }).code];
      };
      expect(await ask(own)).toEqual([200, undefined]);
      expect(await ask()).toEqual([401, 'missing_authorization']);
      expect(await ask(`Bearer ${own}`)).toEqual([422, 'malformed_authorization']);
      expect(await ask('garbage')).toEqual([422, 'token_malformed']);
      expect(await ask(forge(own, { aud: 'bank' }))).toEqual([422, 'token_audience_invalid']);
      expect(await ask(forge(own, { aud: undefined }))).toEqual([422, 'token_audience_invalid']);
      expect(await ask(forge(own, { exp: now() - 1 }))).toEqual([401, 'token_expired']);
    } finally {
      await other.stop();
    }
  });

  it('answers 422 to a wrong token, and 401 if a refresh or a sign-in helps', async () => {
    const other = await startServer({ JWT_INVALID_TOKEN_STATUS: '422', JWT_EXPIRES: '10m' });
    try {
      const { id } = await other.register('ada');
      const { jwt: own } = await other.login('ada');
      const ask = async (value?: string) => {
        const response = await get(value, other);
        return [response.status, (response.body as { code?: string }).code];
      };
      const wrong: [string, string][] = [
        ['malformed_authorization', 'Basic YTpi'],
        ['token_malformed', 'Bearer x'],
        ['token_algorithm_invalid', `Bearer ${forge(own, {}, { alg: 'HS512' })}`],
        ['token_signature_invalid', `Bearer ${forge(own, {}, {}, 'y'.repeat(40))}`],
        ['token_type_invalid', `Bearer ${forge(own, {}, { typ: 'JWT' })}`],
        ['token_claims_invalid', `Bearer ${forge(own, { sid: 7 })}`],
        ['token_issuer_invalid', `Bearer ${forge(own, { iss: 'x' })}`],
        ['token_audience_invalid', `Bearer ${forge(own, { aud: 'x' })}`],
        ['token_not_yet_valid', `Bearer ${forge(own, { nbf: now() + 90 })}`],
      ];
      for (const [code, value] of wrong) expect(await ask(value)).toEqual([422, code]);
      expect(await ask()).toEqual([401, 'missing_authorization']);
      expect(await ask(`Bearer ${forge(own, { exp: now() - 1 })}`)).toEqual([401, 'token_expired']);

      const admin = await person(other, 'root', ['admin']);
      await admin.ask('PATCH', `/users/${id}`, { roles: ['admin'] });
      expect(await ask(`Bearer ${own}`)).toEqual([401, 'token_stale']);
      await admin.ask('POST', `/users/${id}/sessions/revoke`);
      expect(await ask(`Bearer ${own}`)).toEqual([401, 'token_revoked']);
    } finally {
      await other.stop();
    }
  });

  it('takes a token for one of several audiences, and for no other', async () => {
    const other = await startServer({ JWT_DECODE_AUDIENCE: 'shop, https://bank.example' });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      expect((jwt.decode(own) as jwt.JwtPayload).aud).toEqual(['shop', 'https://bank.example']);
      const ask = async (aud: unknown) => {
        const response = await get(`Bearer ${forge(own, { aud })}`, other);
        return response.status === 200 ? 200 : (response.body as unknown);
      };
      for (const aud of ['shop', ['shop'], ['x', 'https://bank.example']]) {
        expect([aud, await ask(aud)]).toEqual([aud, 200]);
      }
      const refusal = (msg: string) => ({ msg, code: 'token_audience_invalid' });
      for (const aud of ['bank', [], ['x'], ['shop,x'], { shop: 1 }, null, [['shop']]]) {
        expect([aud, await ask(aud)]).toEqual([
          aud,
          refusal('The token is meant for another audience'),
        ]);
      }
      expect(await ask(undefined)).toEqual(
        refusal('The token does not say which audience it is meant for'),
      );
    } finally {
      await other.stop();
    }
  });

  it('says that a token without an issuer names none', async () => {
    const response = await get(`Bearer ${forge(token, { iss: undefined })}`);
    expect(response.body).toEqual({
      msg: 'The token does not say which server issued it',
      code: 'token_issuer_invalid',
    });
  });

  it('signs by the algorithm of the key pair if none is named', async () => {
    for (const [kind, algorithm] of [
      ['P-256', 'ES256'],
      ['P-384', 'ES384'],
      ['P-521', 'ES512'],
      ['ed25519', 'EdDSA'],
      ['rsa', 'RS256'],
    ] as const) {
      const config = Config.load({ JWT_PRIVATE_KEY: pair(kind), JWT_SECRET_KEY: SECRET });
      expect([kind, config.jwt.algorithm]).toEqual([kind, algorithm]);
    }
    const other = await startServer({ JWT_PRIVATE_KEY: pair('P-384') });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      expect(jwt.decode(own, { complete: true })?.header.alg).toBe('ES384');
      expect((await get(`Bearer ${own}`, other)).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  it('issues tokens of type JWT to verifiers that know no other, and takes both types', async () => {
    const other = await startServer({ JWT_TYP: 'JWT' });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      expect(jwt.decode(own, { complete: true })?.header.typ).toBe('JWT');
      for (const typ of ['JWT', 'at+jwt']) {
        expect((await get(`Bearer ${forge(own, {}, { typ })}`, other)).status).toBe(200);
      }
      for (const typ of ['rt+jwt', 'jwt', undefined, ['JWT']]) {
        const response = await get(`Bearer ${forge(own, {}, { typ })}`, other);
        expect(response.body).toMatchObject({ code: 'token_type_invalid' });
      }
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['JWT', 'Authorization', 'JWT', 'JWT '],
    ['', 'X-Token', 'Bearer', ''],
  ])(
    'with the word %j in %s tells clients so, wherever it says how to send a token',
    async (type, header, scheme, prefix) => {
      const other = await startServer({ JWT_HEADER_TYPE: type, JWT_HEADER_NAME: header });
      try {
        await other.register('ada');
        const tokens = await other.login('ada');
        expect(tokens).toMatchObject({ token_type: type });
        const ask = (path: string, value?: string) => {
          const asked = other.http.get(path);
          return value === undefined ? asked : asked.set(header, value);
        };
        await ask('/protected', prefix + tokens.jwt).expect(200);
        const none = await ask('/protected');
        expect([none.body, none.headers['www-authenticate']]).toEqual([
          { msg: `Missing ${header} Header`, code: 'missing_authorization' },
          scheme,
        ]);
        const bad = await ask('/protected', `${prefix}x`);
        expect(bad.headers['www-authenticate']).toBe(`${scheme} error="invalid_token"`);
        const document = await other.http.get('/openapi.json');
        expect(document.body).toMatchObject({
          components: {
            securitySchemes: { bearer: { type: 'apiKey', in: 'header', name: header } },
          },
        });
      } finally {
        await other.stop();
      }
    },
  );

  const pair = (kind: 'rsa' | 'ed25519' | 'P-256' | 'P-384' | 'P-521') => {
    const { privateKey } =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : kind === 'ed25519'
          ? generateKeyPairSync(kind)
          : generateKeyPairSync('ec', { namedCurve: kind });
    return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  };
  it.each([
    ['HS384', {}],
    ['HS512', {}],
    ['RS256', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['RS384', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['RS512', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['PS256', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['PS384', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['PS512', { JWT_PRIVATE_KEY: pair('rsa') }],
    ['ES256', { JWT_PRIVATE_KEY: pair('P-256') }],
    ['ES384', { JWT_PRIVATE_KEY: pair('P-384') }],
    ['ES512', { JWT_PRIVATE_KEY: pair('P-521') }],
    ['EdDSA', { JWT_PRIVATE_KEY: pair('ed25519') }],
  ])('signs and verifies by %s and publishes only what is public', async (algorithm, keys) => {
    const other = await startServer({ JWT_ALGORITHM: algorithm, ...keys });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      const { header } = jwt.decode(own, { complete: true }) ?? {};
      expect(header?.alg).toBe(algorithm);
      expect((await get(`Bearer ${own}`, other)).status).toBe(200);
      expect((await get(`Bearer ${token}`, other)).status).toBe(401);
      const jwks = await other.http.get('/.well-known/jwks.json');
      const { keys: published } = jwks.body as { keys: Record<string, unknown>[] };
      if (algorithm.startsWith('HS')) expect(published).toEqual([]);
      else {
        expect(published).toHaveLength(1);
        expect(published[0]).toMatchObject({ kid: header?.kid, alg: algorithm, use: 'sig' });
        expect(published[0]).not.toHaveProperty('d');
        // The public key must not pass for an HMAC secret.
        const confused = jwt.sign(JSON.stringify(jwt.decode(own)), JSON.stringify(published[0]), {
          header: { ...header, alg: 'HS256' },
        });
        const response = await get(`Bearer ${confused}`, other);
        expect((response.body as { code: string }).code).toBe('token_algorithm_invalid');
      }
    } finally {
      await other.stop();
    }
  });
});

it.each([
  [0, 200],
  [25, 200],
  [60, 401],
])('answers a token whose issuer has a clock %i s ahead with %i', async (ahead, expected) => {
  const other = await startServer();
  try {
    await other.register('ada');
    const { jwt } = await other.login('ada');
    const issued = { iat: now() + ahead, nbf: now() + ahead, exp: now() + ahead + 900 };
    const { status } = await other.get('/protected', `Bearer ${forge(jwt, issued)}`);
    expect(status).toBe(expected);
  } finally {
    await other.stop();
  }
});
