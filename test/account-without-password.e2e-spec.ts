import { User } from '../src/users/user.entity.js';
import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { addPasskey, optionsOf, originOf } from './support/passkeys.js';
import { browser, type PageBrowser, stateOf, textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { Authenticator } from './support/webauthn-authenticator.js';

const PASSWORD = '/account/password';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** The stored value of an account without a password. */
const NO_PASSWORD = '!none';

const setHash = (id: string, passwordHash: string) =>
  server.withDatabase((db) => db.getRepository(User).update({ id }, { passwordHash }));

/** The answer of a passkey, in JSON. */
const answerOf = async (authenticator: Authenticator) =>
  JSON.stringify(authenticator.get(await optionsOf(server, '/login/passkey/options')));

/** A user without a password, whose browser has signed in by a passkey. */
async function signedInByPasskey() {
  const { id, username } = await signedInBrowser(server);
  const authenticator = new Authenticator(originOf(server));
  await addPasskey(server, (await server.login(username)).jwt, authenticator);
  await setHash(id, NO_PASSWORD);
  const visitor = browser(server);
  await visitor.post('/sign-in/passkey', { response: await answerOf(authenticator) });
  expect(await stateOf(visitor)).toBe(username);
  return { id, username, visitor, authenticator };
}

/** A user without a password and a factor, whose browser has signed in before. */
async function signedInByMail() {
  const user = await signedInBrowser(server);
  const { passwordHash } = await server.withDatabase((db) =>
    db.getRepository(User).findOneByOrFail({ id: user.id }),
  );
  await setHash(user.id, NO_PASSWORD);
  return { ...user, passwordHash };
}

const setPassword = (visitor: PageBrowser) =>
  visitor.post(PASSWORD, { new_password: GOOD_PASSWORD });

describe('an account with a passkey alone', () => {
  it('sets its first password, without a current one', async () => {
    const { username, visitor } = await signedInByPasskey();
    const page = await visitor.get(PASSWORD);
    expect(textOf(page.text)).toContain('Your account has no password yet.');
    expect(page.text).not.toContain('current_password');
    const set = await setPassword(visitor);
    expect([set.status, set.path]).toEqual([200, '/account/password?done=changed']);
    expect(set.text).toContain('name="current_password"');
    await expect(server.login(username)).rejects.toThrow('second_factor_required');
  });

  it('confirms by its passkey before it sees the form, and loses nothing that it typed', async () => {
    const { id, visitor, authenticator } = await signedInByPasskey();
    await ageSessions(server, id);
    const asked = await visitor.get(PASSWORD);
    expect([asked.status, textOf(asked.text)]).toEqual([
      401,
      expect.stringContaining('Confirm with a passkey'),
    ]);
    expect(asked.text).not.toContain('name="current_password"');
    const proof = { proof_passkey: await answerOf(authenticator) };
    const page = await visitor.post('/account/confirm', { ...visitor.fields(), ...proof });
    expect([page.status, page.path]).toEqual([200, PASSWORD]);
    expect((await setPassword(visitor)).path).toBe('/account/password?done=changed');
  });

  it('confirms, and types the password again, if the form was open for too long', async () => {
    const { id, visitor, authenticator } = await signedInByPasskey();
    await ageSessions(server, id);
    const asked = await setPassword(visitor);
    expect([asked.status, asked.text.includes(GOOD_PASSWORD)]).toEqual([401, false]);
    const proof = { proof_passkey: await answerOf(authenticator) };
    const again = await visitor.post('/account/confirm', { ...visitor.fields(), ...proof });
    expect([again.status, again.path]).toEqual([400, PASSWORD]);
    expect(again.text).toMatch(/<input id="new_password"[^>]*aria-invalid="true"/);
    expect((await setPassword(visitor)).path).toBe('/account/password?done=changed');
  });

  it('keeps its last way to sign in', async () => {
    const { visitor } = await signedInByPasskey();
    const list = await visitor.get('/account/factors');
    const [, path = '', name = ''] =
      /href="([^"]*)" aria-label="Edit: ([^"]*)"/.exec(list.text) ?? [];
    const kept = await visitor.post(`${path}/remove`, {});
    expect([kept.status, textOf(kept.text)]).toEqual([
      409,
      expect.stringContaining('This is your last way to sign in. Add another one first.'),
    ]);
    // The form to rename it has its name still.
    expect(kept.text).toMatch(new RegExp(`<input id="name"[^>]* value="${name}"`));
    await setPassword(visitor);
    expect((await visitor.post(`${path}/remove`, {})).path).toBe('/account/factors?done=removed');
  });
});

describe('an account with neither a password nor a factor', () => {
  it('sets its first password soon after its sign-in', async () => {
    const { username, visitor } = await signedInByMail();
    expect((await setPassword(visitor)).path).toBe('/account/password?done=changed');
    await expect(server.login(username)).resolves.toBeDefined();
  });

  it.each([
    ['a page', (visitor: PageBrowser) => visitor.get(PASSWORD), PASSWORD],
    ['a form', setPassword, PASSWORD],
    [
      'a form with a path of its own',
      (visitor: PageBrowser) => visitor.post('/account/factors/app', { name: 'Phone' }),
      '/account/factors',
    ],
  ])(
    'is told to sign in again, and comes back to where it was: %s',
    async (_what, ask, returnTo) => {
      const { id, username, visitor, passwordHash } = await signedInByMail();
      await ageSessions(server, id);
      const asked = await ask(visitor);
      expect([asked.status, textOf(asked.text)]).toEqual([
        401,
        expect.stringContaining('Sign out, and sign in again as you did before.'),
      ]);
      expect(visitor.fields()).toEqual({ return_to: returnTo });
      const left = await visitor.post('/sign-out', visitor.fields());
      expect(textOf(left.text)).toContain('You are signed out.');
      expect(visitor.fields()).toMatchObject({ return_to: returnTo });
      // A mailed code leads back like a password, which is here again.
      await setHash(id, passwordHash);
      const back = await visitor.post('/sign-in', {
        ...visitor.fields(),
        username,
        password: GOOD_PASSWORD,
      });
      expect([back.status, back.path]).toEqual([200, returnTo]);
    },
  );

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', '/sign-out'])(
    'is not led to %s by the way out',
    async (returnTo) => {
      const { visitor } = await signedInByMail();
      await visitor.post('/sign-out', { return_to: returnTo });
      expect(visitor.fields()).toMatchObject({ return_to: '/account' });
    },
  );
});
