import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { keyPair } from './support/keys.js';
import { kill } from './support/server-process.js';
import { now, type Server, startServer } from './support/server.js';

const SERVICE = 'examples/cats-service.js';

const children: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => kill(child)));
  for (const server of servers.splice(0).reverse()) await server.stop();
});

/** Starts the service of docs/verifiers.md, which trusts the Latchkey at `url`; resolves to its address. */
async function startService(url: string): Promise<string> {
  const child = spawn(process.execPath, [SERVICE], {
    env: { PATH: process.env.PATH, LATCHKEY_URL: url, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().replace('Cats at ', '').trim();
}

async function startLatchkey(settings: Record<string, string>) {
  const on: Record<string, string> = servers[0] ? { DATABASE_URL: servers[0].database.url } : {};
  const server = await startServer({ JWT_DECODE_AUDIENCE: 'cats', ...on, ...settings });
  servers.push(server);
  return server;
}

const ask = async (service: string, token?: string) => {
  const asked = request(service).get('/');
  const response = await (token === undefined ? asked : asked.auth(token, { type: 'bearer' }));
  return [response.status, response.body as unknown];
};
const GOOD = [200, { owner: 'ada', cats: ['Tom'] }];

it('is quoted in docs/verifiers.md as it runs here', () => {
  const quoted = `\`\`\`js\n${readFileSync(SERVICE, 'utf8')}\`\`\`\n`;
  expect(readFileSync('docs/verifiers.md', 'utf8')).toContain(quoted);
});

describe.each(['ES256', 'RS256'])('a service that verifies %s by the JWKS', (algorithm) => {
  it('takes a good token and refuses every other', async () => {
    const keys = keyPair(algorithm);
    const latchkey = await startLatchkey(keys.settings);
    const service = await startService(latchkey.url);
    await latchkey.register('ada');
    const { jwt: token, refresh_token: refreshToken } = await latchkey.login('ada');
    expect(await ask(service, token)).toEqual(GOOD);

    const decoded = jwt.decode(token, { complete: true });
    const sign = (
      claims: object,
      changed: Record<string, unknown> = {},
      key: jwt.Secret = keys.privateKey,
    ) => {
      const header = { ...decoded?.header, alg: algorithm, ...changed };
      const payload = JSON.stringify({ ...(decoded?.payload as jwt.JwtPayload), ...claims });
      return jwt.sign(payload, key, { algorithm: header.alg as jwt.Algorithm, header });
    };
    expect(await ask(service, sign({}))).toEqual(GOOD);

    const none = Buffer.from(JSON.stringify({ ...decoded?.header, alg: 'none' })).toString(
      'base64url',
    );
    const kid = 'of-nobody';
    const refusals: [what: string, token: string | undefined, code: string][] = [
      ['nothing', undefined, 'ERR_JWS_INVALID'],
      ['no token', 'garbage', 'ERR_JWS_INVALID'],
      ['a refresh token', refreshToken, 'ERR_JWS_INVALID'],
      [
        'another key of the same id',
        sign({}, {}, keyPair(algorithm).privateKey),
        'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      ],
      ['an id of no key', sign({}, { kid }), 'ERR_JWKS_NO_MATCHING_KEY'],
      [
        'the public key as a secret',
        sign({}, { alg: 'HS256' }, Buffer.from(keys.publicPem)),
        'ERR_JOSE_ALG_NOT_ALLOWED',
      ],
      ['alg none', `${none}.${token.split('.')[1] ?? ''}.`, 'ERR_JOSE_ALG_NOT_ALLOWED'],
      ['crit', sign({}, { crit: ['x'], x: 1 }), 'ERR_JOSE_NOT_SUPPORTED'],
      ['another audience', sign({ aud: 'dogs' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
      ['no audience', sign({ aud: undefined }), 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
      ['another issuer', sign({ iss: 'evil' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
      ['another type', sign({}, { typ: 'JWT' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
      ['no expiry', sign({ exp: undefined }), 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
      ['an expired one', sign({ exp: now() - 1 }), 'ERR_JWT_EXPIRED'],
    ];
    for (const [what, bad, code] of refusals) {
      expect([what, ...(await ask(service, bad))]).toEqual([what, 401, { code }]);
    }
  });
});

it('goes on over a rotation that was announced, from what it has fetched', async () => {
  const [before, after] = [keyPair('RS256'), keyPair('ES256')];
  const latchkey = await startLatchkey({
    ...before.settings,
    JWT_PREVIOUS_PUBLIC_KEYS: after.publicPem,
  });
  const service = await startService(latchkey.url);
  await latchkey.register('ada');
  const old = await latchkey.login('ada');
  expect(await ask(service, old.jwt)).toEqual(GOOD);

  const moved = await startLatchkey({
    ...after.settings,
    JWT_PREVIOUS_PUBLIC_KEYS: before.publicPem,
  });
  const fresh = await moved.login('ada');
  expect(jwt.decode(fresh.jwt, { complete: true })?.header.alg).toBe('ES256');
  expect(await ask(service, fresh.jwt)).toEqual(GOOD);
  expect(await ask(service, old.jwt)).toEqual(GOOD);
  // A service that starts now fetches both as well.
  const late = await startService(moved.url);
  for (const token of [fresh.jwt, old.jwt]) expect(await ask(late, token)).toEqual(GOOD);
});

it('says that it is its own trouble where the keys cannot be fetched', async () => {
  const latchkey = await startLatchkey(keyPair('ES256').settings);
  await latchkey.register('ada');
  const { jwt: token } = await latchkey.login('ada');
  const service = await startService(`${latchkey.url}/nowhere/`.replace(/:\d+/, ':1'));
  expect(await ask(service, token)).toEqual([503, { code: 'unavailable' }]);
});
