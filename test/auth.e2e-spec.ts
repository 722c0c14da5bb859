import { DataSource } from 'typeorm';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { User } from '../src/users/user.entity.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const BAD_CREDENTIALS = { msg: 'Bad username or password', code: 'bad_credentials' };
const taken = { msg: 'This username is taken', code: 'username_taken' };

describe('POST /register', () => {
  it('answers 201 with the new user and nothing secret', async () => {
    const response = await server.post('/register', {
      username: 'Ada',
      password: GOOD_PASSWORD,
      email: 'Ada@Example.org',
      roles: ['admin'],
      id: 'mine',
      passwordHash: 'x',
      disabledAt: 1,
    });
    expect(response.status).toBe(201);
    expect(response.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      username: 'Ada',
      email: 'Ada@Example.org',
      roles: [],
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    });
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it('refuses a name that is the same after PRECIS, and says nothing of an address that is taken', async () => {
    await server.register('Straße-Ärger', GOOD_PASSWORD, 'strasse@example.org');
    for (const username of ['STRAßE-ÄRGER', 'straße-a\u0308rger', 'ｓtraße-ärger']) {
      const response = await server.post('/register', { username, password: GOOD_PASSWORD });
      expect([response.status, response.body]).toEqual([409, taken]);
    }
    const email = 'STRASSE@EXAMPLE.ORG';
    const response = await server.post('/register', {
      username: 'x1',
      password: GOOD_PASSWORD,
      email,
    });
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ username: 'x1', email });
  });

  it('takes no address, null, and two users without one', async () => {
    for (const [username, email] of [
      ['noaddress1', undefined],
      ['noaddress2', null],
    ]) {
      const response = await server.post('/register', {
        username: username as string,
        password: GOOD_PASSWORD,
        email,
      });
      expect([response.status, (response.body as { email: unknown }).email]).toEqual([201, null]);
    }
  });

  it.each([
    ['a blank', 'two words'],
    ['a control character', 'bell\u0007'],
    ['a NUL byte', 'nul\0'],
    ['a bidi override', 'ab\u202Ecd'],
    ['an @', 'a@b'],
    ['a lone surrogate', 'a\uD800'],
    ['an emoji', 'cat🐈'],
    ['65 characters', 'a'.repeat(65)],
    ['look-alike letters', 'p\u0430ypal'],
    ['an invisible joiner', 'a\u200Db'],
  ])('refuses a username with %s', async (_what, username) => {
    const response = await server.post('/register', { username, password: GOOD_PASSWORD });
    expect(response.status).toBe(400);
    expect(response.body).toEqual({
      msg: expect.stringContaining('username') as string,
      code: 'invalid_parameter',
    });
  });

  it.each([
    ['is short', 'seven77', 'fewer than 8'],
    ['is common', 'Password123', 'most common'],
    ['is a simple run', '123456789', 'most common'],
    ['contains the username', 'xxGrace-Hopperxx', 'contains the username'],
    ['has 1,025 bytes', 'é'.repeat(512) + 'x', '1024 bytes'],
    ['is ill-formed', 'abcdefgh\uDC00', 'well-formed'],
    ['has a NUL byte', 'abcdefgh\0', 'control characters'],
  ])('refuses a password that %s, with the reason', async (_what, password, reason) => {
    const response = await server.post('/register', { username: 'Grace-Hopper', password });
    expect(response.status).toBe(400);
    expect(response.body).toEqual({
      msg: expect.stringContaining(reason) as string,
      code: 'weak_password',
    });
  });

  it('lists every wrong field, the first one first', async () => {
    const response = await server.post('/register', { username: 7, password: '', email: 'nope' });
    expect(response.status).toBe(400);
    expect(response.body).toEqual({
      msg: 'The username has to be a string',
      code: 'invalid_parameter',
      errors: [
        { path: 'username', msg: 'The username has to be a string' },
        { path: 'password', msg: 'Missing password parameter' },
        { path: 'email', msg: 'The email is not an e-mail address' },
      ],
    });
  });

  it('gives one 201 and 49 times 409 to 50 registrations of one name at once', async () => {
    const names = Array.from({ length: 50 }, (_, i) => (i % 2 ? 'Racer' : 'rACER'));
    const responses = await Promise.all(
      names.map((username) => server.post('/register', { username, password: GOOD_PASSWORD })),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array<number>(49).fill(409)]);
  });
});

describe('POST /login', () => {
  it('answers with tokens, by name in any case and by address', async () => {
    await server.register('Linus', GOOD_PASSWORD, 'Linus@example.org');
    for (const username of ['Linus', 'LINUS', 'linus@EXAMPLE.org']) {
      const response = await server.post('/login', { username, password: GOOD_PASSWORD });
      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
        token_type: 'Bearer',
        expires_in: 900,
        refresh_token: expect.any(String) as string,
      });
    }
  });

  it.each([
    ['no body', undefined, undefined],
    ['a form', 'username=a&password=b', 'application/x-www-form-urlencoded'],
    ['plain text', '{"username":"a","password":"b"}', 'text/plain'],
    ['an empty body', '', 'application/json'],
    ['an array', '[]', 'application/json'],
    ['null', 'null', 'application/json'],
    ['a string', '"x"', 'application/json'],
    ['an odd content type', '{}', 'application/json/x;;'],
  ])('misses JSON where the body is %s', async (_what, body, type) => {
    const request = server.http.post('/login');
    if (type) request.set('content-type', type);
    const response = await request.send(body);
    expect([response.status, response.body]).toMatchObject([
      400,
      { msg: 'Missing JSON in request', code: 'missing_json' },
    ]);
  });

  it.each([
    [{}, 'username'],
    [{ password: 'x' }, 'username'],
    [{ username: '', password: '' }, 'username'],
    [{ username: null }, 'username'],
    [{ username: 'x' }, 'password'],
    [{ username: 'x', password: '' }, 'password'],
  ])('names the missing parameter of %j, the username first', async (body, name) => {
    const response = await server.post('/login', body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      msg: `Missing ${name} parameter`,
      code: 'missing_parameter',
    });
  });

  it('does not know test/test', async () => {
    const response = await server.post('/login', { username: 'test', password: 'test' });
    expect([response.status, response.body]).toEqual([401, BAD_CREDENTIALS]);
  });

  it('answers unknown, wrong and disabled alike, each after one comparison', async () => {
    await server.register('known');
    const disabled = await server.register('disabled');
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id: disabled.id }, { disabledAt: new Date() }),
    );
    const passwords = server.app.get<unknown>(PasswordsService) as {
      compare(password: string, hash: string, dummies: string[]): Promise<boolean>;
    };
    const compare = passwords.compare.bind(passwords);
    const costs: string[] = [];
    passwords.compare = (password, hash, dummies) => {
      costs.push(hash.slice(0, 7));
      expect(dummies).toEqual([]);
      return compare(password, hash, dummies);
    };
    try {
      const cases = [
        { username: 'known', password: 'wrong password' },
        { username: 'unknown', password: 'wrong password' },
        { username: 'not a name', password: 'wrong password' },
        { username: 'nobody@example.org', password: 'wrong password' },
        { username: 'disabled', password: 'wrong password' },
        { username: 'known', password: 'x'.repeat(5000) },
        { username: 'known', password: '\uD800wrong' },
        { username: 'x'.repeat(5000), password: 'wrong password' },
      ];
      for (const body of cases) {
        const response = await server.post('/login', body);
        expect([response.status, response.body]).toEqual([401, BAD_CREDENTIALS]);
      }
      expect(costs).toEqual(cases.map(() => '$2b$04$'));
    } finally {
      passwords.compare = compare;
    }
    const right = await server.post('/login', { username: 'disabled', password: GOOD_PASSWORD });
    expect([right.status, (right.body as { code: string }).code]).toEqual([403, 'user_disabled']);
  });

  it('tells long passwords apart that differ only at the end', async () => {
    for (const length of [71, 72, 73, 1023]) {
      const stem = 'ab'.repeat(512).slice(0, length);
      await server.register(`long${length}`, stem + 'x');
      await expect(server.login(`long${length}`, stem + 'x')).resolves.toBeDefined();
      for (const other of [stem + 'y', stem, stem.slice(0, 72)]) {
        const response = await server.post('/login', {
          username: `long${length}`,
          password: other,
        });
        expect([length, response.status]).toEqual([length, 401]);
      }
    }
  });

  it('takes a password in another Unicode form, and emoji', async () => {
    await server.register('unicode', 'pässwörtchen 👩‍👩‍👧 ok');
    await expect(
      server.login('unicode', 'pa\u0308sswo\u0308rtchen\u00A0👩‍👩‍👧 ok'),
    ).resolves.toBeDefined();
  });

  // bcrypt of "correct horse battery staple" at cost 4, in the three spellings of its version.
  it.each(['$2a$', '$2b$', '$2y$'])('verifies a plain %s hash and renews it', async (prefix) => {
    const name = `import${prefix[2] ?? ''}`;
    const { id } = await server.register(name);
    const foreign = await server.withDatabase(async (db) => {
      const users = db.getRepository(User);
      const { passwordHash } = await users.findOneByOrFail({ id });
      const hash = prefix + passwordHash.slice(4);
      await users.update({ id }, { passwordHash: hash });
      return hash;
    });
    await expect(server.login(name)).resolves.toBeDefined();
    const wrong = await server.post('/login', { username: name, password: 'wrong password' });
    expect(wrong.status).toBe(401);
    expect(foreign.startsWith(prefix)).toBe(true);
  });

  it('renews a hash of a lower cost at the next login', async () => {
    const dear = await startServer({ BCRYPT_COST: '5' });
    try {
      const { id } = await dear.register('upgrade');
      const cheap = await server.register('upgrade');
      const hashOf = (db: DataSource, user: string) =>
        db.getRepository(User).findOneByOrFail({ id: user });
      const { passwordHash } = await server.withDatabase((db) => hashOf(db, cheap.id));
      expect(passwordHash).toMatch(/^\$2b\$04\$/);
      await dear.withDatabase((db) => db.getRepository(User).update({ id }, { passwordHash }));
      await dear.login('upgrade');
      const renewed = await dear.withDatabase((db) => hashOf(db, id));
      expect(renewed.passwordHash).toMatch(/^\$2b\$05\$/);
      await expect(dear.login('upgrade')).resolves.toBeDefined();
    } finally {
      await dear.stop();
    }
  });

  it('does not compute a hash whose cost would block a thread for hours', async () => {
    const { id } = await server.register('costly');
    const passwordHash = `$2b$31$${'a'.repeat(53)}`;
    await server.withDatabase((db) => db.getRepository(User).update({ id }, { passwordHash }));
    const response = await server.post('/login', { username: 'costly', password: GOOD_PASSWORD });
    expect(response.status).toBe(401);
  });
});

it.each([
  [{ displayName: 'two\nlines' }, 'The displayName has to be a line of 1 to 64 characters'],
  [{ displayName: 7 }, 'The displayName has to be a string or null'],
  [{ locale: 'not a tag' }, 'The locale has to be a language tag such as en or de-AT'],
])('POST /register refuses the profile %j', async (profile, msg) => {
  const body = { username: 'Profiled', password: GOOD_PASSWORD, ...profile };
  const response = await server.post('/register', body);
  expect([response.status, response.body]).toEqual([400, { msg, code: 'invalid_parameter' }]);
});

describe('GET /me', () => {
  it('shows the name and the language that came with the registration', async () => {
    const profile = { displayName: ' Ada Lovelace ', locale: 'de-at' };
    const body = { username: 'Lovelace', password: GOOD_PASSWORD, ...profile };
    const registered = await server.post('/register', body);
    expect(registered.status).toBe(201);
    const { jwt } = await server.login('lovelace');
    const response = await server.http.get('/me').auth(jwt, { type: 'bearer' });
    expect(response.body).toEqual({
      ...(registered.body as object),
      emailVerified: false,
      displayName: 'Ada Lovelace',
      locale: 'de-AT',
    });
  });

  it("shows the signed-in user's account", async () => {
    const registered = await server.register('Myself', GOOD_PASSWORD, 'me@example.org');
    const { jwt } = await server.login('myself');
    const response = await server.http.get('/me').auth(jwt, { type: 'bearer' });
    expect([response.status, response.body]).toEqual([
      200,
      { ...registered, emailVerified: false, displayName: null, locale: null },
    ]);
  });

  it('refuses the token of a user who is gone', async () => {
    const { id } = await server.register('Gone');
    const { jwt } = await server.login('gone');
    await server.withDatabase((db) => db.getRepository(User).delete({ id }));
    const response = await server.http.get('/me').auth(jwt, { type: 'bearer' });
    expect([response.status, (response.body as { code: string }).code]).toEqual([
      401,
      'token_revoked',
    ]);
    expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });

  it('never takes a made-up user id', async () => {
    const { jwt } = await server.login('Myself');
    const response = await server.http.get('/me').auth(forge(jwt, { sub: '' }), { type: 'bearer' });
    expect(response.status).toBe(401);
  });
});
