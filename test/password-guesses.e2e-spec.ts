import { ApiError } from '../src/common/api-error.js';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { User } from '../src/users/user.entity.js';
import {
  HOME,
  limitedServers,
  login,
  newAddress,
  post,
  right,
  statusOf,
  STORES,
  tally,
  times,
  wrong,
} from './support/limits.js';
import { GOOD_PASSWORD, type Server } from './support/server.js';

interface PasswordInternals {
  compare(password: string, hash: string): Promise<boolean>;
  verify(...given: unknown[]): Promise<boolean>;
}
const passwordsOf = (server: Server) =>
  server.app.get<unknown>(PasswordsService) as PasswordInternals;

describe.each(STORES)('guesses of a password, counted in %s', (store) => {
  const limited = limitedServers(store);

  it('lets no more guesses reach bcrypt than the limit, however many come at once', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    const passwords = passwordsOf(server);
    const compare = passwords.compare.bind(passwords);
    let compared = 0;
    passwords.compare = (password, hash) => {
      compared++;
      return compare(password, hash);
    };
    const statuses = await times(200, () => wrong(server, 'ada', HOME));
    expect(tally(statuses)).toEqual({ 401: 5, 429: 195 });
    expect(compared).toBe(5);
    // Nor is the right password looked at.
    expect(await right(server, 'ada', HOME)).toBe(429);
    expect(compared).toBe(5);
    expect(await right(server, 'ada', newAddress())).toBe(200);
  });

  it('limits the guesses of one address over all usernames', async () => {
    const server = await limited();
    await server.register('ada');
    const statuses = await times(50, (index) => wrong(server, `user${index}`, HOME));
    expect(tally(statuses)).toEqual({ 401: 10, 429: 40 });
    expect(await right(server, 'ada', HOME)).toBe(429);
  });

  it('counts no right password as a guess, also of many at once', async () => {
    const server = await limited({
      RATE_LIMITS: 'login=1000/1m,failedAddress=3/1m,failedPair=2/15m',
    });
    for (const name of ['ada', 'grace']) await server.register(name);
    const names = ['ada', 'grace'];
    const statuses = await times(30, (i) => right(server, names[i % 2] ?? '', HOME));
    expect(tally(statuses)).toEqual({ 200: 30 });
    expect(tally(await times(9, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 7 });
    // The other user is none the worse for it.
    expect(await right(server, 'grace', HOME)).toBe(200);
  });

  it('forgets the typos of a user who then gets it right', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    for (let round = 0; round < 3; round++) {
      for (let typo = 0; typo < 4; typo++) expect(await wrong(server, 'ada', HOME)).toBe(401);
      expect(await right(server, 'ada', HOME)).toBe(200);
    }
  });

  it('counts nothing that was not judged, and no disabled user with the right password', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedPair=2/15m' });
    const { id } = await server.register('ada');
    const passwords = passwordsOf(server);
    const verify = passwords.verify.bind(passwords);
    passwords.verify = () => Promise.reject(new ApiError('unavailable'));
    expect(tally(await times(9, () => right(server, 'ada', HOME)))).toEqual({ 503: 9 });
    passwords.verify = verify;
    await server.withDatabase((db) =>
      db.getRepository(User).update({ id }, { disabledAt: new Date() }),
    );
    for (let i = 0; i < 4; i++) expect(await right(server, 'ada', HOME)).toBe(403);
    expect(tally(await times(4, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 2, 429: 2 });
  });

  it('answers known and unknown usernames alike when it is too much', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedUsername=8/1d' });
    await server.register('known');
    await server.register('other', GOOD_PASSWORD, 'known@example.org');
    const seen = async (username: string) => {
      const answers = [];
      const places = Array<string>(7).fill(newAddress());
      for (const from of [
        ...places,
        newAddress(),
        newAddress(),
        newAddress(),
        newAddress(),
        HOME,
      ]) {
        const { status, text, headers } = await login(server, username, 'wrong password', from);
        // Which second it is may differ.
        const others = { ...headers, date: '', 'x-request-id': '' };
        answers.push(status, text, JSON.stringify(others).replaceAll(/(?<=;t=|after":")\d+/g, 'T'));
      }
      return answers;
    };
    const known = await seen('known');
    const statuses = known.filter((part) => typeof part === 'number');
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 401, 401, 401, 401, 429]);
    expect(await seen('unknown')).toEqual(known);
    expect(await seen('known@example.org')).toEqual(known);
    expect(await seen('unknown@example.org')).toEqual(known);
    expect(await seen('not a name')).toEqual(known);
  });

  it('counts the spellings of one name or address together', async () => {
    const server = await limited({
      RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m,failedPair=3/15m',
    });
    const spellings = {
      straße: ['Straße', 'STRAßE', 'ｓtraße'],
      ä: ['Ä', 'a\u0308', 'A\u0308'],
      'ada@example.org': ['ADA@EXAMPLE.ORG', 'ada@Example.org', ' ada@example.org '],
    };
    for (const registered of [false, true]) {
      const from = registered ? newAddress() : HOME;
      for (const [plain, others] of Object.entries(spellings)) {
        const isAddress = plain.includes('@');
        if (registered) {
          await server.register(
            isAddress ? 'ada' : plain,
            GOOD_PASSWORD,
            isAddress ? plain : undefined,
          );
        }
        for (const name of others) expect(await wrong(server, name, from)).toBe(401);
        expect(await wrong(server, plain, from)).toBe(429);
      }
    }
    expect(await wrong(server, 'strasse', HOME)).toBe(401);
  });

  it('counts the guesses of one account together, by name, address and present password', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    for (const name of ['ada', 'grace']) {
      await server.register(name, GOOD_PASSWORD, `${name}@example.org`);
    }
    const { jwt } = await server.login('ada');
    const change = (body: object) =>
      statusOf(
        server.http
          .put('/me/password')
          .set('authorization', `Bearer ${jwt}`)
          .set('x-forwarded-for', HOME)
          .send({ new_password: 'another good passphrase', ...body }),
      );
    const guesses = await times(24, (index) => {
      const ways = [
        () => wrong(server, 'ada', HOME),
        () => wrong(server, 'ADA@example.org', HOME),
        () => change({ current_password: 'wrong password' }),
      ];
      return ways[index % ways.length]?.() ?? Promise.resolve(0);
    });
    const { 429: refused = 0, ...judged } = tally(guesses);
    expect([Object.values(judged).reduce((sum, count) => sum + count, 0), refused]).toEqual([
      5, 19,
    ]);
    expect(await change({ current_password: GOOD_PASSWORD })).toBe(429);
    expect(await right(server, 'ada@example.org', HOME)).toBe(429);
    expect(await right(server, 'grace', HOME)).toBe(200);
  });

  it('goes on counting guesses of the present password after a change of name', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=1000/1m' });
    await server.register('ada');
    let tokens = await server.login('ada');
    const ask = (method: 'put' | 'patch', path: string, body: object) =>
      server.http[method](path)
        .set('authorization', `Bearer ${tokens.jwt}`)
        .set('x-forwarded-for', HOME)
        .send(body);
    const codes = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 3; i++) {
        const body = { current_password: `guess ${i}`, new_password: 'another good passphrase' };
        codes.push(await statusOf(ask('put', '/me/password', body)));
      }
      await ask('patch', '/me', { username: `ada${round}` }).expect(200);
      const { refresh_token } = tokens;
      const refreshed = await post(server, '/refresh', { refresh_token }, HOME);
      tokens = refreshed.body as typeof tokens;
    }
    expect(codes).toEqual([...Array<number>(5).fill(403), ...Array<number>(7).fill(429)]);
  });

  it('counts no request without a password as a guess', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedAddress=3/1m' });
    const bodies = [
      { username: 'ada' },
      { username: 'ada', password: '' },
      { username: ' ', password: 'x' },
      [],
      'x',
      7,
      true,
    ];
    for (const body of [...bodies, ...bodies]) {
      const answer = await server.http
        .post('/login')
        .set('x-forwarded-for', HOME)
        .set('content-type', 'application/json')
        .send(JSON.stringify(body));
      expect([body, answer.status]).toEqual([body, 400]);
    }
    expect(await wrong(server, 'ada', HOME)).toBe(401);
  });

  it('slows a username under attack down for strangers, not for its owner', async () => {
    const server = await limited({ RATE_LIMITS: 'login=1000/1m,failedUsername=6/1d' });
    await server.register('ada', GOOD_PASSWORD, 'ada@example.org');
    const away = '2001:db8:1:2:aaaa:bbbb:cccc:dddd';
    expect(await right(server, 'ada', HOME)).toBe(200);
    expect(await right(server, 'ada', away)).toBe(200);
    const attack = async (name: string) => {
      const statuses = [];
      for (let i = 0; i < 9; i++) statuses.push(await wrong(server, name, newAddress()));
      return statuses;
    };
    // Six, one more in this minute, and then no more.
    expect(await attack('ada')).toEqual([401, 401, 401, 401, 401, 401, 401, 429, 429]);
    // The address is no second account.
    expect(await attack('ada@example.org')).toEqual(Array(9).fill(429));
    const refused = await login(server, 'ada', GOOD_PASSWORD, newAddress());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    for (const home of [HOME, `::ffff:${HOME}`, away, '2001:db8:1:2::1']) {
      expect([home, await right(server, 'ada', home)]).toEqual([home, 200]);
      expect([home, await right(server, 'ADA@example.org', home)]).toEqual([home, 200]);
    }
    // At home, too, guesses are limited.
    expect(tally(await times(8, () => wrong(server, 'ada', HOME)))).toEqual({ 401: 5, 429: 3 });
    expect(await right(server, 'ada', '2001:db8:1:3::1')).toBe(429);
  });

  it('knows clients apart, and their owners again, behind proxies that add ports', async () => {
    const server = await limited({
      TRUST_PROXY: '127.0.0.1, 10.0.0.0/8',
      RATE_LIMITS: 'login=3/1m,failedUsername=2/1d',
    });
    let port = 40_000;
    const through = (client: string) => `198.51.100.99, ${client}:${++port}, 10.0.0.6:${++port}`;
    await server.register('ada');
    const home = through('203.0.113.7');
    const signedIn = await login(server, 'ada', GOOD_PASSWORD, home);
    const { jwt } = signedIn.body as { jwt: string };
    const asked = server.get('/me/sessions', `Bearer ${jwt}`).set('x-forwarded-for', home);
    expect((await asked).body).toMatchObject({ sessions: [{ address: '203.0.113.7' }] });
    const audited = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findOneByOrFail({ action: 'login' }),
    );
    expect(audited.address).toBe('203.0.113.7');
    // Each client has limits of its own, whatever its port.
    for (const client of ['203.0.113.21', '203.0.113.22', '[2001:db8:0:1::1]']) {
      const statuses = [];
      for (let i = 0; i < 4; i++) {
        statuses.push(await statusOf(post(server, '/login', {}, through(client))));
      }
      expect([client, statuses]).toEqual([client, [400, 400, 400, 429]]);
    }
    // A stranger's wrong passwords do not lock the owner out.
    const strangers = ['203.0.113.31', '203.0.113.32', '203.0.113.33', '203.0.113.34'];
    const guesses = [];
    for (const client of strangers) guesses.push(await wrong(server, 'ada', through(client)));
    expect(guesses).toEqual([401, 401, 401, 429]);
    expect(await right(server, 'ada', through('203.0.113.7'))).toBe(200);
    expect(await right(server, 'ada', '[::ffff:203.0.113.7]:9, 10.0.0.6:443')).toBe(200);
    expect(await right(server, 'ada', 'unknown, 10.0.0.6:443')).toBe(429);
  });
});
