import jwt from 'jsonwebtoken';
import { Config } from '../src/config/config.js';
import { person } from './support/admins.js';
import { keyPair } from './support/keys.js';
import { outcomeOf } from './support/http.js';
import { now, SECRET, startServer } from './support/server.js';
import { claimsOf, forge, headerOf } from './support/tokens.js';

/** A token of a server with other keys. */
let foreign: string;
beforeAll(async () => {
  const server = await startServer();
  await server.register('ada');
  foreign = (await server.login('ada')).jwt;
  await server.stop();
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
      const claims = claimsOf(own);
      expect(claims).toMatchObject({ aud: 'shop', iss: 'https://id.example', identity: id });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
      const ask = (value?: string) => {
        const request = other.http.get('/protected');
        return outcomeOf(value === undefined ? request : request.set('x-token', value));
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
      const ask = (value?: string) => outcomeOf(other.get('/protected', value));
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
      expect(claimsOf(own).aud).toEqual(['shop', 'https://bank.example']);
      const ask = async (aud: unknown) => {
        const response = await other.get('/protected', `Bearer ${forge(own, { aud })}`);
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

  it('signs by the algorithm of the key pair if none is named', async () => {
    for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256']) {
      const key = keyPair(algorithm).privatePem;
      const config = Config.load({ JWT_PRIVATE_KEY: key, JWT_SECRET_KEY: SECRET });
      expect(config.jwt.algorithm).toBe(algorithm);
    }
    const other = await startServer({ JWT_PRIVATE_KEY: keyPair('ES384').privatePem });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      expect(headerOf(own).alg).toBe('ES384');
      expect((await other.get('/protected', `Bearer ${own}`)).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  it('issues tokens of type JWT to verifiers that know no other, and takes both types', async () => {
    const other = await startServer({ JWT_TYP: 'JWT' });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      expect(headerOf(own).typ).toBe('JWT');
      for (const typ of ['JWT', 'at+jwt']) {
        expect((await other.get('/protected', `Bearer ${forge(own, {}, { typ })}`)).status).toBe(
          200,
        );
      }
      for (const typ of ['rt+jwt', 'jwt', undefined, ['JWT']]) {
        const response = await other.get('/protected', `Bearer ${forge(own, {}, { typ })}`);
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

  it.each([
    ...['HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ...['ES256', 'ES384', 'ES512', 'EdDSA'],
  ])('signs and verifies by %s and publishes only what is public', async (algorithm) => {
    const keys = algorithm.startsWith('HS') ? {} : keyPair(algorithm).settings;
    const other = await startServer({ JWT_ALGORITHM: algorithm, ...keys });
    try {
      await other.register('ada');
      const { jwt: own } = await other.login('ada');
      const header = headerOf(own);
      expect(header.alg).toBe(algorithm);
      expect((await other.get('/protected', `Bearer ${own}`)).status).toBe(200);
      expect((await other.get('/protected', `Bearer ${foreign}`)).status).toBe(401);
      const jwks = await other.http.get('/.well-known/jwks.json');
      const { keys: published } = jwks.body as { keys: Record<string, unknown>[] };
      if (algorithm.startsWith('HS')) expect(published).toEqual([]);
      else {
        expect(published).toHaveLength(1);
        expect(published[0]).toMatchObject({ kid: header.kid, alg: algorithm, use: 'sig' });
        expect(published[0]).not.toHaveProperty('d');
        // The public key must not pass for an HMAC secret.
        const confused = jwt.sign(JSON.stringify(claimsOf(own)), JSON.stringify(published[0]), {
          header: { ...header, alg: 'HS256' },
        });
        const response = await other.get('/protected', `Bearer ${confused}`);
        expect((response.body as { code: string }).code).toBe('token_algorithm_invalid');
      }
    } finally {
      await other.stop();
    }
  });
});
