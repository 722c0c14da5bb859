import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { me } from './support/addresses.js';
import { textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** Two accounts share a browser: each tab shows a page of the one that was signed in when it opened. */
let server: Server;
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'off' });
});
afterAll(() => server.stop());

describe('a form that was shown to another account', () => {
  /** A browser with a form of its first user, who has left it to a second one in another tab. */
  async function leftTab(path: string) {
    const first = await signedInBrowser(server);
    await first.visitor.get(path);
    const fields = first.visitor.fields();
    const second = await signedInBrowser(server);
    await first.visitor.post('/sign-in', { username: second.username, password: GOOD_PASSWORD });
    return { fields, tab: first.visitor, second };
  }

  it.each([
    ['/account/profile', '/account/profile', { displayName: 'Eve', locale: '' }],
    ['/account/email', '/account/email', { email: 'eve@example.org' }],
    [
      '/account/password',
      '/account/password',
      { current_password: GOOD_PASSWORD, new_password: 'another good passphrase' },
    ],
    ['/account/data', '/account/data', {}],
    ['/account/factors/app', '/account/factors/app', { name: 'Eve' }],
  ])('on %s changes nothing', async (page, path, input) => {
    const { fields, tab, second } = await leftTab(page);
    const refused = await tab.post(path, { ...fields, ...input });
    expect(refused.status).toBe(409);
    expect(textOf(refused.text)).toContain('another account has signed in since then');
    expect(refused.text).not.toContain(second.username);
    const { jwt } = await server.login(second.username);
    expect(await me(server, jwt)).toMatchObject({ displayName: null, email: null });
    expect((await second.visitor.get('/account')).path).toBe('/account');
  });

  it('is not sent again by a confirmation of the new account', async () => {
    const first = await signedInBrowser(server);
    await ageSessions(server, first.id);
    await first.visitor.post('/account/profile', { username: 'taken-over', locale: '' });
    const fields = first.visitor.fields();
    const second = await signedInBrowser(server);
    await first.visitor.post('/sign-in', { username: second.username, password: GOOD_PASSWORD });
    const sent = { ...fields, current_password: GOOD_PASSWORD };
    expect((await first.visitor.post('/account/confirm', sent)).status).toBe(409);
    await expect(server.login(second.username)).resolves.toBeDefined();
  });

  it('is every form on a page of an account', async () => {
    const { id, visitor } = await signedInBrowser(server);
    const pages = ['', '/profile', '/email', '/password', '/factors', '/factors/app', '/sessions'];
    for (const page of [...pages, '/data', '/delete']) {
      const { text } = await visitor.get(`/account${page}`);
      for (const [form] of text.matchAll(/<form [^]*?<\/form>/g)) {
        if (form.includes('action="/sign-out"')) continue;
        expect([page, form]).toEqual([page, expect.stringContaining(`value="${id}"`)]);
      }
    }
  });
});
