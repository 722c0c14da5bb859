import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { person } from './support/admins.js';
import { textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe('the activity', () => {
  it('shows the events of the user in words, in the language of the page', async () => {
    const { username, visitor } = await signedInBrowser(server);
    await visitor.post('/account/profile', { displayName: 'Ada', locale: 'de' });
    await visitor.post('/account/confirm', { current_password: GOOD_PASSWORD });
    await server.http.post('/login').send({ username, password: 'wrong' }).expect(401);
    const german = textOf((await visitor.get('/account/activity')).text);
    for (const words of [
      'Identität bestätigt : Passwort',
      'Profil geändert',
      'Angemeldet : Passwort',
      'Konto registriert',
    ]) {
      expect(german).toContain(words);
    }
    await visitor.post('/account/profile', { displayName: 'Ada', locale: 'en' });
    const english = textOf((await visitor.get('/account/activity')).text);
    expect(english).toContain('Signed in : password 127.0.0.1');
  });

  it('shows neither device nor address of an administrator', async () => {
    const admin = await person(server, 'Root', ['admin']);
    const { id, visitor } = await signedInBrowser(server);
    await admin.ask('PATCH', `/users/${id}`, { roles: ['admin'] });
    const text = textOf((await visitor.get('/account/activity')).text);
    expect(text).toContain('Roles changed Not from a device of yours');
  });

  it('goes on to older events, and shows those of no other user', async () => {
    const { visitor } = await signedInBrowser(server);
    for (let change = 0; change < 30; change++) {
      await visitor.post('/account/profile', { displayName: `Ada ${change}`, locale: '' });
    }
    const first = await visitor.get('/account/activity');
    const rows = (html: string) => (html.match(/<li class="row"/g) ?? []).length;
    const [, older = ''] = /href="(\/account\/activity\?cursor=[^"]*)"/.exec(first.text) ?? [];
    const second = await visitor.get(older);
    expect([rows(first.text), rows(second.text)]).toEqual([25, 7]);
    expect(textOf(second.text)).toContain('Account registered');
    const { visitor: stranger } = await signedInBrowser(server);
    expect(rows((await stranger.get(older)).text)).toBeLessThanOrEqual(2);
    for (const cursor of ['x', '%00', 'W10']) {
      expect((await visitor.get(`/account/activity?cursor=${cursor}`)).status).toBe(400);
    }
  });
});

describe('the data', () => {
  it('is a file, and the same as by the API', async () => {
    const { id, username, visitor } = await signedInBrowser(server);
    const { headers, text } = await visitor.post('/account/data', {});
    expect(headers.get('content-disposition')).toBe('attachment; filename="account.json"');
    expect(headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({ user: { id, username } });
  });

  it('is deleted once the name is typed, after a confirmation that keeps it', async () => {
    const { id, username, visitor } = await signedInBrowser(server);
    const { text } = await visitor.get('/account/delete');
    expect(text).toContain('<summary>Your data</summary>');
    expect(text).toContain('<a href="/account/data" aria-current="true">');
    const wrong = await visitor.post('/account/delete', { typed_name: 'another' });
    expect([wrong.status, textOf(wrong.text)]).toEqual([
      400,
      expect.stringContaining('This is not the name of your account.'),
    ]);
    expect(textOf((await visitor.post('/account/delete', { typed_name: '' })).text)).toContain(
      'Fill in this field.',
    );
    await ageSessions(server, id);
    await visitor.post('/account/delete', { typed_name: username });
    const deleted = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      current_password: GOOD_PASSWORD,
    });
    expect(deleted.path).toBe('/sign-in?done=deleted');
    expect(textOf(deleted.text)).toContain('Your account is deleted.');
    expect(visitor.cookies.has('latchkey_session')).toBe(false);
    await expect(server.login(username)).rejects.toThrow('bad_credentials');
  });
});
