import jwt from 'jsonwebtoken';
import { keyPair } from './support/keys.js';
import type { Server } from './support/server.js';
import { siblings } from './support/servers.js';

/** Keys that sign, and what of them stands in the lists of the accepted ones. */
interface Keys {
  current: Record<string, string>;
  listed: Record<string, string>;
}

const secret = (letter: string) =>
  `${letter}-secret-of-at-least-sixty-four-bytes-`.padEnd(80, letter);
const hmac = (algorithm: string, letter: string): Keys => ({
  current: { JWT_ALGORITHM: algorithm, JWT_SECRET_KEY: secret(letter) },
  listed: { JWT_PREVIOUS_SECRET_KEYS: `${algorithm}:${secret(letter)}` },
});
/** A pair with a secret beside it, or without one. */
const pair = (algorithm: string, letter?: string): Keys => {
  const { settings, privatePem, publicPem } = keyPair(algorithm);
  return {
    current: { ...settings, JWT_SECRET_KEY: letter ? secret(letter) : '' },
    listed: {
      JWT_PREVIOUS_PUBLIC_KEYS: publicPem,
      JWT_PREVIOUS_SECRET_KEYS: letter ? secret(letter) : privatePem,
    },
  };
};

const start = siblings();

const protectedBy = async (server: Server, token: string) => {
  const response = await server.get('/protected', `Bearer ${token}`);
  return [response.status, (response.body as { code?: string }).code];
};
const refresh = async (server: Server, token: string) => {
  const response = await server.http.post('/refresh').send({ refresh_token: token });
  const body = response.body as { code?: string; jwt: string; refresh_token: string };
  return [response.status, body] as const;
};
const algorithmOf = (token: string) => jwt.decode(token, { complete: true })?.header.alg;

describe('a rotation', () => {
  it.each([
    ['HS256 to another secret', hmac('HS256', 'a'), hmac('HS256', 'b')],
    ['HS256 to HS512', hmac('HS256', 'a'), hmac('HS512', 'b')],
    ['HS256 to ES256', hmac('HS256', 'a'), pair('ES256', 'b')],
    ['HS256 to ES256 without a secret', hmac('HS256', 'a'), pair('ES256')],
    ['ES256 to another pair and secret', pair('ES256', 'a'), pair('ES256', 'b')],
    ['ES256 to another pair, both without a secret', pair('ES256'), pair('ES256')],
    ['RS256 to ES256', pair('RS256', 'a'), pair('ES256', 'b')],
    ['ES384 to HS384', pair('ES384', 'a'), hmac('HS384', 'b')],
  ])('from %s signs nobody out, and ends with the old key', async (_what, before, after) => {
    const announced = await start({ ...before.current, ...after.listed });
    await announced.register('ada');
    const old = await announced.login('ada');
    const idle = await announced.login('ada');

    // Both run side by side, and each takes what the other hands out.
    const moved = await start({ ...after.current, ...before.listed });
    expect(await protectedBy(moved, old.jwt)).toEqual([200, undefined]);
    const [status, fresh] = await refresh(moved, old.refresh_token);
    expect([status, algorithmOf(fresh.jwt)]).toEqual([200, after.current.JWT_ALGORITHM]);
    expect(await protectedBy(moved, fresh.jwt)).toEqual([200, undefined]);
    expect(await protectedBy(announced, fresh.jwt)).toEqual([200, undefined]);
    // A second tab still gets the same generation, from both.
    for (const server of [moved, announced]) {
      const [again, { refresh_token: successor }] = await refresh(server, old.refresh_token);
      expect([again, successor.split('.').slice(0, 3)]).toEqual([
        200,
        fresh.refresh_token.split('.').slice(0, 3),
      ]);
    }
    const [, next] = await refresh(announced, fresh.refresh_token);
    expect(await protectedBy(moved, next.jwt)).toEqual([200, undefined]);
    const [, last] = await refresh(moved, next.refresh_token);

    const done = await start(after.current);
    expect(await protectedBy(done, last.jwt)).toEqual([200, undefined]);
    expect((await refresh(done, last.refresh_token))[0]).toBe(200);
    const sameAlgorithm = before.current.JWT_ALGORITHM === after.current.JWT_ALGORITHM;
    expect(await protectedBy(done, old.jwt)).toEqual([
      401,
      sameAlgorithm ? 'token_signature_invalid' : 'token_algorithm_invalid',
    ]);
    const [refused, { code }] = await refresh(done, idle.refresh_token);
    expect([refused, code]).toEqual([401, 'refresh_token_invalid']);
  });

  it('of a pair alone leaves refresh tokens as they are', async () => {
    const before = pair('ES256', 'a');
    const announced = await start(before.current);
    await announced.register('ada');
    const old = await announced.login('ada');
    const moved = await start({ ...keyPair('ES256').settings, JWT_SECRET_KEY: secret('a') });
    expect(await protectedBy(moved, old.jwt)).toEqual([401, 'token_signature_invalid']);
    const [, fresh] = await refresh(moved, old.refresh_token);
    expect(await protectedBy(moved, fresh.jwt)).toEqual([200, undefined]);
  });

  it('to a secret beside a pair that had none needs no list', async () => {
    const { settings } = keyPair('ES256');
    const without = await start({ ...settings, JWT_SECRET_KEY: '' });
    await without.register('ada');
    const old = await without.login('ada');
    const beside = await start({ ...settings, JWT_SECRET_KEY: secret('a') });
    expect(await protectedBy(beside, old.jwt)).toEqual([200, undefined]);
    expect((await refresh(beside, old.refresh_token))[0]).toBe(200);
  });

  it('keeps a listed public key from passing for a secret, and a secret for a public key', async () => {
    const rsa = keyPair('RS256');
    const server = await start({
      ...hmac('HS256', 'a').current,
      JWT_PREVIOUS_PUBLIC_KEYS: rsa.publicPem,
    });
    await server.register('ada');
    const { jwt: own } = await server.login('ada');
    const jwks = await server.http.get('/.well-known/jwks.json');
    const [{ kid } = { kid: '' }] = (jwks.body as { keys: { kid: string }[] }).keys;
    const claims = JSON.stringify(jwt.decode(own));
    const spki = rsa.publicKey.export({ format: 'der', type: 'spki' });
    for (const key of [rsa.publicPem, rsa.publicPem.trim(), spki, JSON.stringify(jwks.body)]) {
      const header = { alg: 'HS256', typ: 'at+jwt', kid };
      const forged = jwt.sign(claims, Buffer.from(key), { header });
      expect(await protectedBy(server, forged)).toEqual([401, 'token_algorithm_invalid']);
    }
    const ownKid = jwt.decode(own, { complete: true })?.header.kid;
    const header = { alg: 'RS256', typ: 'at+jwt', kid: ownKid };
    const byRsa = jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', header });
    expect(await protectedBy(server, byRsa)).toEqual([401, 'token_algorithm_invalid']);
  });
});

describe('GET /.well-known/jwks.json', () => {
  it('holds the current public key, then the listed ones, and no secret', async () => {
    const [current, next, before] = [keyPair('ES256'), keyPair('ES384'), keyPair('RS256')];
    const server = await start({
      ...current.settings,
      JWT_PREVIOUS_PUBLIC_KEYS: `${next.publicPem},${before.publicPem}`,
      JWT_PREVIOUS_SECRET_KEYS: secret('a'),
    });
    const response = await server.http.get('/.well-known/jwks.json').expect(200);
    const common = { kid: expect.stringMatching(/^[\w-]{43}$/) as string, use: 'sig' };
    const jwk = ({ publicKey }: typeof current) => publicKey.export({ format: 'jwk' });
    expect(response.body).toEqual({
      keys: [
        { ...jwk(current), ...common, alg: 'ES256' },
        { ...jwk(next), ...common, alg: 'ES384' },
        { ...jwk(before), ...common, alg: 'RS256' },
      ],
    });
    expect(response.headers['cache-control']).toBe('public, max-age=300');
    expect(response.headers['content-type']).toMatch(/^application\/json/);
  });

  it('answers 304 to who has it already', async () => {
    const { settings } = keyPair('ES256');
    const server = await start(settings);
    const ask = (known?: string) => {
      const asked = server.http.get('/.well-known/jwks.json');
      return known === undefined ? asked : asked.set('if-none-match', known);
    };
    const etag = (await ask()).headers.etag ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const { status, text, headers } = await ask(known);
      expect([status, text, headers.etag]).toEqual([304, '', etag]);
      expect(headers['cache-control']).toBe('public, max-age=300');
    }
    for (const known of ['', '"x"', etag.slice(1, -1)]) expect((await ask(known)).status).toBe(200);
    // Another instance with these keys has the same tag, one with more keys another.
    const [twin, more] = [
      await start(settings),
      await start({ ...settings, JWT_PREVIOUS_PUBLIC_KEYS: keyPair('ES256').publicPem }),
    ];
    const tags = [twin, more].map(async ({ http }) => {
      const { headers } = await http.get('/.well-known/jwks.json');
      return headers.etag === etag;
    });
    expect(await Promise.all(tags)).toEqual([true, false]);
  });
});
