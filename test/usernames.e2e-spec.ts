import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StepUpService } from '../src/auth/step-up.service.js';
import { UsernameClaim } from '../src/users/username-claim.entity.js';
import { UsernameClaims } from '../src/users/username-claims.js';
import { UsersService } from '../src/users/users.service.js';
import { asking, person } from './support/admins.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

const DAY = 86_400_000;
const LONG = 300_000;
const TAKEN = { msg: 'This username is taken', code: 'username_taken' };

let server: Server;
let count = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const register = async (username: string) => {
  const answer = await server.http.post('/register').send({ username, password: GOOD_PASSWORD });
  return [answer.status, answer.status === 201 ? {} : (answer.body as unknown)];
};
/** Registers a user and changes the name. */
async function renamed() {
  const former = `former${++count}`;
  const user = await person(server, former);
  expect(await user.outcome('PATCH', '/me', { username: `new${count}` })).toBe(200);
  const { jwt } = await server.login(`new${count}`);
  return { id: user.id, former, present: `new${count}`, ...asking(server, jwt) };
}
const claimsOf = (userId: string) =>
  server.withDatabase((db) =>
    db.getRepository(UsernameClaim).find({ where: { userId }, order: { skeleton: 'ASC' } }),
  );
/** Has the time of a user's former names be over. */
const letPass = (userId: string) =>
  server.withDatabase((db) =>
    db.query(`UPDATE username_claims SET reserved_until = 1
                WHERE user_id = '${userId}' AND reserved_until IS NOT NULL`),
  );

describe('a change of name', () => {
  it('asks for a recent sign-in or the password; other changes of the profile do not', async () => {
    const user = await person(server, 'stale');
    const old = asking(server, forge(user.jwt, { auth_time: now() - 901 }));
    expect(await old.ask('PATCH', '/me', { username: 'fresh' })).toEqual({
      status: 401,
      body: {
        msg: 'Sign in again, or send your current password, to do this',
        code: 'reauthentication_required',
      },
    });
    expect(await old.outcome('PATCH', '/me', { displayName: 'Stale', username: 'stale' })).toBe(
      200,
    );
    const wrong = { username: 'fresh', current_password: 'wrong password' };
    expect(await old.outcome('PATCH', '/me', wrong)).toBe('wrong_password');
    const right = { username: 'fresh', current_password: GOOD_PASSWORD };
    expect(await old.outcome('PATCH', '/me', right)).toBe(200);
  });

  it('is refused if the password is changed after it was judged', async () => {
    const { id } = await server.register('Racer');
    const { jwt } = await server.login('racer');
    const user = asking(server, jwt);
    const stepUp = server.app.get(StepUpService, { strict: false });
    const judge = stepUp.require.bind(stepUp);
    const judged = jest.spyOn(stepUp, 'require').mockImplementationOnce(async (...args) => {
      await judge(...args);
      const new_password = 'another good passphrase';
      const body = { current_password: GOOD_PASSWORD, new_password };
      expect(await user.outcome('PUT', '/me/password', body)).toBe(204);
    });
    const body = { username: 'Thief', current_password: GOOD_PASSWORD };
    expect(await user.outcome('PATCH', '/me', body)).toBe('conflict');
    judged.mockRestore();
    expect((await user.ask('GET', '/me')).body).toMatchObject({ id, username: 'Racer' });
  });

  it('judges a password that comes along with any change', async () => {
    const { outcome } = await person(server, 'judged');
    const body = { displayName: 'Judged', current_password: 'wrong password' };
    expect(await outcome('PATCH', '/me', body)).toBe('wrong_password');
    expect(await outcome('PATCH', '/me', { current_password: GOOD_PASSWORD })).toBe(
      'invalid_parameter',
    );
  });

  it('reserves the former name for 30 days, until which its holder alone may take it', async () => {
    const { id, former, present, outcome } = await renamed();
    const claims = await claimsOf(id);
    expect(claims.map(({ skeleton }) => skeleton)).toEqual([former, present]);
    const left = (claims[0]?.reservedUntil?.getTime() ?? 0) - Date.now();
    expect(Math.abs(left - 30 * DAY)).toBeLessThan(DAY);
    expect(claims[1]?.reservedUntil).toBeNull();
    expect(await register(former)).toEqual([409, TAKEN]);
    expect(await outcome('PATCH', '/me', { username: former })).toBe(200);
    expect(await register(present)).toEqual([409, TAKEN]);
    await letPass(id);
    expect(await register(present)).toEqual([201, {}]);
    expect(await register(former)).toEqual([409, TAKEN]);
  });

  it(
    'reserves it against every way to make or rename a user',
    async () => {
      const { former } = await renamed();
      const boss = await person(server, 'boss', ['admin']);
      const look = `f\u043Ermer${count}`.replace('\u043E', '\u1D0F');
      for (const username of [former, former.toUpperCase(), look]) {
        expect(await register(username)).toEqual([409, TAKEN]);
        expect(await boss.outcome('POST', '/users', { username })).toBe('username_taken');
        expect(await boss.outcome('PATCH', '/me', { username })).toBe('username_taken');
        const args = ['users', 'create', username, '--no-password'];
        const made = await latchkey(server, args);
        expect([made.code, made.stderr]).toEqual([1, expect.stringContaining('username is taken')]);
        const file = join(server.database.dataDir, `names-${++count}.jsonl`);
        await writeFile(file, `${JSON.stringify({ username })}\n{"username":"beside${count}"}\n`);
        const imported = await latchkey(server, ['users', 'import', file, '--json']);
        expect(JSON.parse(imported.stdout)).toMatchObject({ imported: 1, refused: 1 });
      }
      const users = server.app.get(UsersService, { strict: false });
      expect(await users.findByLogin(former)).toBeNull();
      expect(await users.findByLogin(`beside${count}`)).not.toBeNull();
    },
    LONG,
  );

  it('gives a name that is no longer reserved to one of 16 users who ask for it at once', async () => {
    const { id, former } = await renamed();
    await letPass(id);
    const answers = await Promise.all(Array.from({ length: 16 }, () => register(former)));
    expect(answers.filter(([status]) => status === 201)).toHaveLength(1);
    expect(answers.filter(([status]) => status === 409)).toHaveLength(15);
  });

  it('leaves one name and all former ones reserved after 8 changes at once', async () => {
    const user = await person(server, `many${++count}`);
    const names = Array.from({ length: 8 }, (_, i) => `many${count}-${i}`);
    const outcomes = await Promise.all(
      names.map((username) => user.outcome('PATCH', '/me', { username })),
    );
    const done = outcomes.filter((outcome) => outcome === 200).length;
    expect(done).toBeGreaterThan(0);
    const claims = await claimsOf(user.id);
    expect(claims.filter(({ reservedUntil }) => reservedUntil === null)).toHaveLength(1);
    expect(claims).toHaveLength(done + 1);
  });

  it('is refused to a user with ten former names, until one is free', async () => {
    const user = await person(server, `squatter${++count}`);
    const rename = async (username: string) => {
      const { jwt } = await server.login(current);
      const answer = await asking(server, jwt).ask('PATCH', '/me', { username });
      if (answer.status === 200) current = username;
      return answer;
    };
    let current = user.name;
    for (let i = 0; i < 10; i++) expect((await rename(`squat${count}-${i}`)).status).toBe(200);
    expect(await rename(`squat${count}-x`)).toEqual({
      status: 429,
      body: { msg: 'A user may give up 10 names in 30 days', code: 'too_many_requests' },
    });
    expect((await rename(`squat${count}-3`)).status).toBe(200);
    await letPass(user.id);
    expect((await rename(`squat${count}-x`)).status).toBe(200);
  });

  it('frees all names of a user who is deleted', async () => {
    const { former, present, outcome } = await renamed();
    expect(await outcome('DELETE', '/me', { current_password: GOOD_PASSWORD })).toBe(204);
    expect(await register(former)).toEqual([201, {}]);
    expect(await register(present)).toEqual([201, {}]);
  });

  it('is forgotten once its time is over', async () => {
    const { id, present } = await renamed();
    await letPass(id);
    await server.app.get(UsernameClaims, { strict: false }).clean();
    expect((await claimsOf(id)).map(({ skeleton }) => skeleton)).toEqual([present]);
  });
});

describe('look-alike names', () => {
  it.each([
    ['adm\u0131n', 409],
    ['\u0251dmin', 409],
    ['\u1D00dmin', 409],
    ['r\u2C9F\u2C9Ft', 400],
    ['\uA4EEdmin', 400],
    ['\u2D54oot', 400],
    ['adm\u0966n', 400],
    ['\u0430dmin', 400],
  ])('%s is refused beside admin and root', async (username, status) => {
    for (const name of ['admin', 'root']) await register(name);
    expect((await register(username))[0]).toBe(status);
  });

  it('one of 16 names that look alike is registered, if they come at once', async () => {
    const letters = ['o', '\u1D0F', '\u1D11'];
    const names = Array.from({ length: 16 }, (_, i) =>
      [0, 1, 2].map((place) => letters[Math.floor(i / 3 ** place) % 3] ?? '').join('l'),
    );
    expect(new Set(names).size).toBe(16);
    const answers = await Promise.all(names.map(register));
    expect(answers.filter(([status]) => status === 201)).toHaveLength(1);
    expect(answers.filter(([status]) => status === 409)).toHaveLength(15);
  });
});
