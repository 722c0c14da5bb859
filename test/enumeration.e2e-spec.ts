import { currentContext } from '../src/common/request-context.js';
import { Database } from '../src/database/database.js';
import { CodeMiss } from '../src/mailed-links/code-miss.entity.js';
import { MailItem } from '../src/mail/mail-item.entity.js';
import { OneTimeToken } from '../src/mailed-links/one-time-token.entity.js';
import { mailAbout } from './support/mailbox.js';
import { until } from './support/wait.js';
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
  server = await startServer({ TRUST_PROXY: '1', RATE_LIMITS: 'on', SIGN_IN_BY_MAIL: 'on' });
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
  Object.assign(headers, { date: '', 'x-request-id': '', ratelimit, 'retry-after': retry });
  const answered = response.body as { challenge?: string };
  const { challenge } = answered;
  if (challenge !== undefined) answered.challenge = `${challenge.length} random characters`;
  return { status: response.status, body: answered as unknown, headers };
}
type Answer = Awaited<ReturnType<typeof answer>>;

const CASES: [what: string, path: string, status: number, body: (email: string) => object][] = [
  ['a login', '/login', 401, (username) => ({ username, password: 'wrong password' })],
  ['a forgotten password', '/password/forgot', 202, (email) => ({ email })],
  ['asking for verification', '/email/verification', 202, (email) => ({ email })],
  ['a sign-in by mail', '/login/mail', 202, (email) => ({ email })],
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

describe('a wrong password past the limit of the account', () => {
  it.each([
    ['that signed in before', true],
    ['that never signed in', false],
  ])('is refused by the same statements for an account %s and for none', async (_what, seen) => {
    const strict = await startServer({
      TRUST_PROXY: '1',
      RATE_LIMITS: 'on,failedUsername=2/1d',
    });
    try {
      await strict.register('known', GOOD_PASSWORD, KNOWN);
      if (seen) await strict.login('known');
      let statements: string[] = [];
      strict.app.get(Database).observe(({ query }) => {
        // Failed logins are recorded in the background, at any time.
        const ofRequest = currentContext().source === 'request';
        if (ofRequest && /\b(users|sessions)\b/.test(query)) statements.push(query);
      });
      let origins = 0;
      const refusal = async (username: string) => {
        for (let i = 0; ; i++) {
          statements = [];
          const from = `203.0.113.${++origins}`;
          const { status } = await strict.http
            .post('/login')
            .set('x-forwarded-for', from)
            .send({ username, password: 'wrong password' });
          if (status === 429) return { guesses: i, statements };
          expect(status).toBe(401);
        }
      };
      const unknown = await refusal('unknown');
      expect(unknown.guesses).toBe(3);
      expect(unknown.statements).toHaveLength(2);
      expect(await refusal('known')).toEqual(unknown);
      const unknownAddress = await refusal(UNKNOWN);
      expect(unknownAddress.guesses).toBe(3);
      // The account's guesses are used up, by whichever of its names.
      expect(await refusal(KNOWN)).toEqual({ ...unknownAddress, guesses: 0 });
    } finally {
      await strict.stop();
    }
  });
});

describe('a wrong code', () => {
  const WRONG = { code: '00000000', password: GOOD_PASSWORD };
  /** Tries of codes that the database has counted, wherever. */
  const counted = () =>
    server.withDatabase(async (db) => {
      const sums = await Promise.all([
        db.getRepository(OneTimeToken).sum('codeAttempts'),
        db.getRepository(CodeMiss).sum('misses'),
      ]);
      return sums.reduce<number>((sum, one) => sum + Number(one), 0);
    });

  it.each([
    ['/email/verify', 'verify-email'],
    ['/password/reset', 'reset-password'],
  ])(
    'at %s is one row written by the same statements, be there a live code or not',
    async (...one) => {
      const [path, purpose] = one;
      await server.http.post('/password/forgot').send({ email: KNOWN }).expect(202);
      await mailAbout(server, KNOWN, 'Set a new password');
      const alike = /\b(users|one_time_tokens|code_misses)\b/;
      let statements: string[] = [];
      server.app.get(Database).observe(({ query }) => {
        // The time of day stands in it on SQLite.
        if (alike.test(query)) statements.push(query.replaceAll(/\d{13}/g, 'now'));
      });
      const attempts = () =>
        server.withDatabase(async (db) => {
          const token = await db.getRepository(OneTimeToken).findOneByOrFail({ purpose });
          return token.codeAttempts;
        });
      const seen: { statements: string[]; rows: number; attempts: number }[] = [];
      const tryAs = async (username: string) => {
        const before = await counted();
        statements = [];
        await server.http
          .post(path)
          .set('x-forwarded-for', `198.51.100.${seen.length + 10}`)
          .send({ ...WRONG, username })
          .expect(400);
        const done = statements;
        seen.push({
          statements: done,
          rows: (await counted()) - before,
          attempts: await attempts(),
        });
      };
      for (const username of [UNKNOWN, KNOWN, UNKNOWN]) await tryAs(username);
      expect(seen.map(({ attempts }) => attempts)).toEqual([0, 1, 1]);
      // Used up, and then not there at all.
      const change = (values: Partial<OneTimeToken>) =>
        server.withDatabase((db) => db.getRepository(OneTimeToken).update({ purpose }, values));
      await change({ codeAttempts: 5 });
      await tryAs(KNOWN);
      await change({ codeAttempts: 0, expiresAt: new Date() });
      await tryAs(KNOWN);
      expect(seen.map(({ rows }) => rows)).toEqual([1, 1, 1, 1, 1]);
      const [first] = seen;
      expect(first?.statements.length).toBeGreaterThan(1);
      for (const { statements } of seen) expect(statements).toEqual(first?.statements);
    },
  );
});

describe('a code to sign in by mail', () => {
  it('is judged by the same statements whether or not an account has the address', async () => {
    const challenges = [];
    for (const email of [KNOWN, UNKNOWN]) {
      const asked = await server.http.post('/login/mail').send({ email }).expect(202);
      challenges.push((asked.body as { challenge: string }).challenge);
    }
    await mailAbout(server, KNOWN, 'Sign in to Latchkey');
    await until(
      () => server.withDatabase(async (db) => (await db.getRepository(MailItem).count()) === 0),
      'an empty outbox',
    );
    let statements: string[] = [];
    server.app.get(Database).observe(({ query }) => {
      if (currentContext().source === 'request')
        statements.push(query.replaceAll(/\d{13}/g, 'now'));
    });
    const seen: { statements: string[]; answer: Answer }[][] = [];
    // The sixth is refused without being judged.
    for (let i = 0; i < 6; i++) {
      const pair = [];
      for (const challenge of challenges) {
        statements = [];
        const body = { challenge, code: '00000000' };
        const done = await answer('/login/mail/verify', body, `203.0.113.${i}`);
        pair.push({ statements, answer: done });
      }
      seen.push(pair);
    }
    expect(seen.map(([known]) => known?.answer.status)).toEqual([400, 400, 400, 400, 400, 429]);
    for (const [known, unknown] of seen) {
      expect(known?.statements.length).toBeGreaterThan(2);
      expect(unknown).toEqual(known);
    }
  });
});

it.each(['/password/forgot', '/email/verification', '/login/mail'])(
  'POST %s is answered before anything is done that depends on whose the address is',
  async (path) => {
    const answered = () => server.log.some(({ msg, route }) => msg === 'request' && route === path);
    const looks: boolean[] = [];
    server.app.get(Database).observe(({ query }) => {
      if (/ FROM "users" .*"email_key" = /.test(query)) looks.push(answered());
    });
    await answer(path, { email: KNOWN });
    await until(() => looks.length > 0, 'the look for the account');
    expect(looks).not.toContain(false);
  },
);

describe.each(['/password/forgot', '/email/verification'])('POST %s', (path) => {
  let origins = 0;
  const newOrigin = () => `203.0.113.${++origins}`;
  /** What limit a refusal is by. */
  const policyOf = ({ headers }: Answer) => headers['ratelimit-policy'];

  it('takes three an hour for one address, known or unknown, wherever they come from', async () => {
    for (let i = 0; i < 5; i++) {
      const known = await answer(path, { email: KNOWN }, newOrigin());
      const unknown = await answer(path, { email: UNKNOWN }, newOrigin());
      expect(known).toEqual(unknown);
      expect(known.status).toBe(i < 3 ? 202 : 429);
      if (i >= 3) expect(policyOf(known)).toBe('"mail";q=3;w=3600');
    }
  });

  it('takes ten an hour from one origin, for whatever addresses', async () => {
    const spent = async () => {
      const origin = newOrigin();
      for (let i = 0; i < 10; i++) {
        const email = `${origin}-${i}@example.org`;
        expect((await answer(path, { email }, origin)).status).toBe(202);
      }
      return origin;
    };
    const known = await answer(path, { email: KNOWN }, await spent());
    expect([known.status, policyOf(known)]).toEqual([429, '"forgot";q=10;w=3600']);
    expect(await answer(path, { email: UNKNOWN }, await spent())).toEqual(known);
    expect((await answer(path, { email: KNOWN }, newOrigin())).status).toBe(202);
  });
});

describe('a registration', () => {
  it('is refused alike after too many, whatever name and address it is for', async () => {
    const refusals: Answer[] = [];
    for (const [username, email] of [
      ['known', KNOWN],
      ['known', UNKNOWN],
      ['free', KNOWN],
      ['free', UNKNOWN],
    ]) {
      const origin = `203.0.113.${refusals.length}`;
      for (let i = 0; i < 60; i++) {
        expect((await answer('/register', {}, origin)).status).toBe(400);
      }
      const form = { username, email, password: GOOD_PASSWORD };
      refusals.push(await answer('/register', form, origin));
    }
    const [first] = refusals;
    expect(first).toMatchObject({
      status: 429,
      body: { msg: 'Too many requests', code: 'too_many_requests' },
      headers: { 'ratelimit-policy': '"register";q=60;w=3600', 'retry-after': 'some seconds' },
    });
    for (const refusal of refusals) expect(refusal).toEqual(first);
  });

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
