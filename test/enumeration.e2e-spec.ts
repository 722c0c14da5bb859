import { mailAbout } from './support/mailbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/**
 * What a stranger is answered must not tell whether there is an account: status, body and headers are
 * compared, of a known and an unknown one. (Times are compared by the benchmark.)
 */
const KNOWN = 'known@example.org';
const UNKNOWN = 'nobody@example.org';
const HOME = '198.51.100.1';

let server: Server;
beforeEach(async () => {
  server = await startServer({ TRUST_PROXY: '1', RATE_LIMITS: 'on' });
  await server.register('known', GOOD_PASSWORD, KNOWN);
  await mailAbout(server, KNOWN, 'Confirm your e-mail address');
});
afterEach(() => server.stop());

/** All of an answer but what is different for every request. */
async function answer(path: string, body: object, from = HOME) {
  const response = await server.http.post(path).set('x-forwarded-for', from).send(body);
  const headers: Partial<Record<string, string>> = { ...response.headers };
  for (const name of ['date', 'x-request-id']) expect(headers[name]).toBeDefined();
  // How much is left, and for how long, changes from one request to the next.
  const ratelimit = headers.ratelimit?.replaceAll(/;r=\d+;t=\d+/g, '');
  const retry = headers['retry-after'] && 'some seconds';
  return {
    status: response.status,
    body: response.body as unknown,
    headers: { ...headers, date: '', 'x-request-id': '', ratelimit, 'retry-after': retry },
  };
}

const CASES: [what: string, path: string, status: number, body: (email: string) => object][] = [
  ['a login', '/login', 401, (username) => ({ username, password: 'wrong password' })],
  ['a forgotten password', '/password/forgot', 202, (email) => ({ email })],
  ['asking for verification', '/email/verification', 202, (email) => ({ email })],
  ['a code to verify by', '/email/verify', 400, (username) => ({ username, code: '00000000' })],
  [
    'a code to reset by',
    '/password/reset',
    400,
    (username) => ({ username, code: '00000000', password: GOOD_PASSWORD }),
  ],
];

describe.each(CASES)('%s', (_what, path, status, body) => {
  it('is answered alike for a known and an unknown account, and so is too much of it', async () => {
    let same = 0;
    for (let i = 0; i < 40; i++) {
      const known = await answer(path, body(KNOWN), '198.51.100.1');
      const unknown = await answer(path, body(UNKNOWN), '198.51.100.2');
      expect(known).toEqual(unknown);
      if (known.status === 429) break;
      expect(known.status).toBe(status);
      same++;
    }
    expect(same).toBeGreaterThan(1);
    expect(same).toBeLessThan(40);
  });
});

describe('a registration', () => {
  it('is answered alike with a known and an unknown address, where the name is free', async () => {
    const form = (username: string, email: string) => ({
      username,
      email,
      password: GOOD_PASSWORD,
    });
    let count = 0;
    const pair = async () => {
      const number = ++count;
      const known = await answer('/register', form(`a${number}`, KNOWN), '198.51.100.1');
      const unknown = await answer('/register', form(`b${number}`, UNKNOWN), '198.51.100.2');
      return [known, unknown] as const;
    };
    const blur = (text: unknown) =>
      JSON.stringify(text)
        .replaceAll(/"[0-9a-f-]{36}"|"\d{4}-[^"]+Z"/g, '"…"')
        .replaceAll(/"[ab]\d+"/g, '"name"')
        .replaceAll(/(known|nobody)@example.org/g, 'address')
        .replaceAll(/"content-length":"\d+"/g, '');
    for (let i = 0; i < 5; i++) {
      const [known, unknown] = await pair();
      expect(known.status).toBe(201);
      expect(blur(known)).toBe(blur(unknown));
    }
    // A name that is taken says so, whatever the address.
    const [taken, both] = [
      await answer('/register', form('known', UNKNOWN)),
      await answer('/register', form('known', KNOWN)),
    ];
    expect(taken.status).toBe(409);
    expect(both).toEqual(taken);
    // And a weak password, alike.
    const weak = { username: 'weak', password: 'password' };
    expect(await answer('/register', { ...weak, email: KNOWN })).toEqual(
      await answer('/register', { ...weak, email: UNKNOWN }),
    );
  });

  it('mails an address three times an hour at most, and goes on to register', async () => {
    for (let i = 0; i < 6; i++) {
      const response = await answer('/register', {
        username: `flood${i}`,
        password: GOOD_PASSWORD,
        email: UNKNOWN,
      });
      expect(response.status).toBe(201);
    }
    const items = await server.withDatabase((db) =>
      db.query<{ n: string }[]>(
        "SELECT count(*) AS n FROM one_time_tokens WHERE purpose = 'verify-email' " +
          "AND user_id IN (SELECT id FROM users WHERE username LIKE 'flood%')",
      ),
    );
    expect(Number(items[0]?.n)).toBe(3);
  });
});
