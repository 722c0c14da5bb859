import { browser, stateOf, textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

let users = 0;
const newUser = async () => {
  const username = `reader${++users}`;
  const { id } = await server.register(username);
  return { id, username };
};

describe('the page to sign in', () => {
  it('signs a browser in, and out', async () => {
    const { username } = await newUser();
    const visitor = browser(server);
    await visitor.signIn(username, GOOD_PASSWORD);
    expect(await stateOf(visitor)).toBe(username);
    const { path, text } = await visitor.post('/sign-out', {});
    expect(path).toBe('/sign-in?done=signed-out');
    expect(textOf(text)).toContain('You are signed out.');
    expect(await stateOf(visitor)).toBeUndefined();
  });

  it('shows a problem at its place, and keeps the name but no password', async () => {
    const { username } = await newUser();
    const visitor = browser(server);
    const wrong = await visitor.signIn(username, 'a wrong password');
    expect(wrong.status).toBe(401);
    expect(textOf(wrong.text)).toContain('The name or the password is wrong.');
    expect(wrong.text).toContain(`value="${username}"`);
    expect(wrong.text).not.toContain('a wrong password');
    const empty = await visitor.signIn(username, '');
    expect(empty.status).toBe(400);
    expect(empty.text).toMatch(/<input id="password"[^>]* aria-invalid="true" autofocus/);
  });

  it('gives a signed-in browser a new session, and ends the one before', async () => {
    const { username } = await newUser();
    const [visitor, thief] = [browser(server), browser(server)];
    await visitor.signIn(username, GOOD_PASSWORD);
    for (const [name, value] of visitor.cookies) thief.cookies.set(name, value);
    expect(await stateOf(thief)).toBe(username);
    const other = await newUser();
    await visitor.post('/sign-in', { username: other.username, password: GOOD_PASSWORD });
    expect(await stateOf(visitor)).toBe(other.username);
    expect(await stateOf(thief)).toBeUndefined();
  });

  it('does not keep a cookie that the browser brought along (session fixation)', async () => {
    const { username } = await newUser();
    const visitor = browser(server);
    const planted = 'A'.repeat(43);
    visitor.cookies.set('latchkey_session', planted);
    await visitor.signIn(username, GOOD_PASSWORD);
    expect(await stateOf(visitor)).toBe(username);
    expect(visitor.cookies.get('latchkey_session')).not.toBe(planted);
    const attacker = browser(server);
    attacker.cookies.set('latchkey_session', planted);
    expect(await stateOf(attacker)).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['from another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['from another host of the domain', { 'sec-fetch-site': 'same-site' }],
    ['without the headers of a browser', {}],
    ['from an address bar', { 'sec-fetch-site': 'none' }],
    ['from a page without an origin', { origin: 'null' }],
  ])('refuses a form %s (login CSRF)', async (_where, headers) => {
    const { username } = await newUser();
    const visitor = browser(server);
    const refused = await visitor.post('/sign-in', { username, password: GOOD_PASSWORD }, headers);
    expect(refused.status).toBe(403);
    expect(textOf(refused.text)).toContain('Your browser sent this form from another site.');
    expect(visitor.cookies.has('latchkey_session')).toBe(false);
  });

  it('takes a form of our own page from a browser without Sec-Fetch-Site', async () => {
    const { username } = await newUser();
    const visitor = browser(server);
    const origin = new URL(server.config.publicUrl).origin;
    await visitor.post('/sign-in', { username, password: GOOD_PASSWORD }, { origin });
    expect(await stateOf(visitor)).toBe(username);
  });
});
