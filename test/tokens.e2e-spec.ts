import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { now, SECRET, type Server, startServer } from './support/server.js';
import { claimsOf, forge, headerOf, part, signRaw } from './support/tokens.js';

let server: Server;
let token: string;
let userId: string;
beforeAll(async () => {
  server = await startServer();
  ({ id: userId } = await server.register('Ada'));
  ({ jwt: token } = await server.login('ada'));
});
afterAll(() => server.stop());

const get = (authorization?: string) => server.get('/protected', authorization);

describe('GET /protected', () => {
  it('greets the user of a good token by the name as typed', async () => {
    const response = await get(`Bearer ${token}`);
    expect([response.status, response.body]).toEqual([200, { hello_from: 'Ada' }]);
  });

  it('carries the documented claims and header', () => {
    expect(claimsOf(token)).toEqual({
      iss: 'latchkey',
      sub: userId,
      username: 'Ada',
      auth_time: expect.any(Number) as number,
      amr: ['pwd'],
      acr: 'urn:latchkey:aal1',
      roles: [],
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      ver: 0,
      iat: expect.any(Number) as number,
      nbf: claimsOf(token).iat,
      exp: (claimsOf(token).iat ?? 0) + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      client_id: 'latchkey',
    });
    expect(headerOf(token)).toEqual({
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
      () => [parts()[0], part({ ...claimsOf(token), roles: ['admin'] }), parts()[2]].join('.'),
    ],
    [
      'token_signature_invalid',
      'of another kid',
      () => forge(token, {}, { kid: '../../dev/null' }),
    ],
    ['token_signature_invalid', 'of kid __proto__', () => forge(token, {}, { kid: '__proto__' })],
    ['token_signature_invalid', 'without kid', () => jwt.sign(claimsOf(token), SECRET)],
    ['token_signature_invalid', 'without signature', () => `${parts()[0]}.${parts()[1]}.`],
    ['token_malformed', 'of two parts', () => `${parts()[0]}.${parts()[1]}`],
    ['token_malformed', 'of four parts', () => `${token}.x`],
    ['token_malformed', 'that is no token', () => 'garbage'],
    ['token_malformed', 'with padding', () => `${token}=`],
    ['token_malformed', 'of 10 kB', () => `${token}${'A'.repeat(10_000)}`],
    ['token_malformed', 'with crit', () => forge(token, {}, { crit: ['exp'] })],
    ['token_malformed', 'with b64', () => forge(token, {}, { b64: true })],
    [
      'token_malformed',
      'with a list as payload',
      () => signRaw(headerOf(token), [claimsOf(token)]),
    ],
    [
      'token_malformed',
      'with a claim twice',
      () => signRaw(headerOf(token), JSON.stringify(claimsOf(token)).replace('{', '{"sub":"x",')),
    ],
    [
      'token_malformed',
      'with a header name twice',
      () => signRaw(JSON.stringify(headerOf(token)).replace('{', '{"typ":"JWT",'), claimsOf(token)),
    ],
    [
      'token_algorithm_invalid',
      'of alg none',
      () => signRaw({ ...headerOf(token), alg: 'none' }, claimsOf(token)),
    ],
    [
      'token_algorithm_invalid',
      'of alg nOnE',
      () => signRaw({ ...headerOf(token), alg: 'nOnE' }, claimsOf(token)),
    ],
    ['token_algorithm_invalid', 'of HS512', () => forge(token, {}, { alg: 'HS512' })],
    [
      'token_algorithm_invalid',
      'of RS256 with its own jwk',
      () => {
        const jwk = rsa.publicKey.export({ format: 'jwk' });
        const header = { ...headerOf(token), alg: 'RS256', jwk } as jwt.JwtHeader;
        return jwt.sign(claimsOf(token), rsa.privateKey, { algorithm: 'RS256', header });
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
          headerOf(token),
          JSON.stringify({ ...claimsOf(token), exp: 0 }).replace('"exp":0', '"exp":1e400'),
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

  it('says that a token without an issuer names none', async () => {
    const response = await get(`Bearer ${forge(token, { iss: undefined })}`);
    expect(response.body).toEqual({
      msg: 'The token does not say which server issued it',
      code: 'token_issuer_invalid',
    });
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
