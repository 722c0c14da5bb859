import { asking, type Person, person } from './support/admins.js';
import { mailAbout } from './support/mailbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** Requests about a user who is deleted while they are served. */
let server: Server;
let admin: Person;
beforeAll(async () => {
  server = await startServer();
  admin = await person(server, 'root', ['admin']);
});
afterAll(() => server.stop());

const NEW_PASSWORD = 'another good passphrase';
const OF_USER: [method: string, path: string, body?: object][] = [
  ['PUT', '/me/email', { email: 'new@example.org', current_password: GOOD_PASSWORD }],
  ['POST', '/me/email/verification'],
  ['GET', '/me/export'],
  ['PATCH', '/me', { displayName: 'Ada' }],
  ['PUT', '/me/password', { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD }],
  ['POST', '/logout?scope=global'],
];
const OF_ADMIN: [method: string, path: string, body?: object][] = [
  ['POST', '/password-reset'],
  ['POST', '/sessions/revoke'],
  ['POST', '/impersonate'],
  ['PATCH', '', { roles: ['admin'] }],
];

it('logs out everywhere a user who is gone already', async () => {
  const { id, outcome } = await person(server, 'gone');
  await server.withDatabase((db) => db.query('DELETE FROM users WHERE id = $1', [id]));
  expect(await outcome('POST', '/logout?scope=global')).toBe(204);
});

it('finds the user or not, and never fails', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const users = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const name = `user${round}-${index}`;
        const { id } = await server.register(name, GOOD_PASSWORD, `${name}@example.org`);
        return { id, ...asking(server, (await server.login(name)).jwt) };
      }),
    );
    await Promise.all(
      users.flatMap(({ id, ask }, index) => {
        const note = async (answer: ReturnType<typeof ask>, of: string) => {
          const { status, body } = await answer;
          outcomes.add(status < 300 ? `${of} 2xx` : `${of} ${status} ${String(body.code)}`);
        };
        const deletion = note(admin.ask('DELETE', `/users/${id}`), 'deletion');
        // Each request comes just after the deletion, and just before it.
        const rename: (typeof OF_USER)[number] = ['PATCH', '/me', { username: `renamed-${id}` }];
        const own = [...OF_USER, rename].map((request) => () => note(ask(...request), 'user'));
        const others = OF_ADMIN.map(
          ([method, path, body]) =>
            () =>
              note(admin.ask(method, `/users/${id}${path}`, body), 'admin'),
        );
        const all = [...own, ...others];
        const first = all[(round * 4 + index) % all.length];
        return [...(first ? [first()] : []), deletion, ...all.map((send) => send())];
      }),
    );
  }
  const allowed = new Set([
    'deletion 2xx',
    'user 2xx',
    'user 401 token_revoked',
    'user 409 conflict',
    // Of a user who was made an administrator, the roles are new.
    'user 401 token_stale',
    'admin 2xx',
    'admin 404 not_found',
    'admin 403 forbidden',
  ]);
  expect([...outcomes].filter((outcome) => !allowed.has(outcome))).toEqual([]);
  for (const outcome of [
    'deletion 2xx',
    'user 2xx',
    'user 401 token_revoked',
    'admin 404 not_found',
  ])
    expect([...outcomes]).toContain(outcome);
  expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

it('takes no change of address that was asked for before the password changed', async () => {
  for (let round = 0; round < 12; round++) {
    const name = `owner${round}`;
    await server.register(name, GOOD_PASSWORD, `${name}@example.org`);
    const [thief, owner] = [await server.login(name), await server.login(name)];
    const body = { email: `thief${round}@example.org`, current_password: GOOD_PASSWORD };
    const password = { current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD };
    const [asked, changed] = await Promise.all([
      asking(server, thief.jwt).outcome('PUT', '/me/email', body),
      asking(server, owner.jwt).outcome('PUT', '/me/password', password),
    ]);
    expect(changed).toBe(204);
    expect([202, 'conflict', 'token_revoked', 'wrong_password']).toContain(asked);
    if (asked !== 202) continue;
    const { token } = await mailAbout(server, body.email, 'Confirm your new e-mail address');
    await server.http.post('/email/confirm').send({ token }).expect(400);
  }
});
