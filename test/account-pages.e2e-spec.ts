import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { CONFIRM, me, tokenOf, verifyAddress } from './support/addresses.js';
import { codeOf } from './support/http.js';
import { mailTo } from './support/mailbox.js';
import { browser, textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const NEW_PASSWORD = 'another good passphrase';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** The value of a text field of a document. */
const valueOf = (html: string, name: string) =>
  new RegExp(`<input id="${name}"[^>]* value="([^"]*)"`).exec(html)?.[1];

describe('the overview', () => {
  it('is where a sign-in leads, and says what the account lacks', async () => {
    const { username, visitor } = await signedInBrowser(server);
    for (const path of ['/', '/account']) {
      const page = await visitor.get(path);
      expect([page.status, page.path]).toEqual([200, '/account']);
      const text = textOf(page.text);
      expect(text).toContain(`Hello, ${username}`);
      expect(text).toContain('Your account has no e-mail address');
      expect(text).toContain('A stolen password would be enough');
      expect(page.text).toContain('<a href="/account" aria-current="page">Overview</a>');
    }
  });

  it('asks to verify an address until it is verified', async () => {
    const email = 'overview@example.org';
    const { visitor } = await signedInBrowser(server, email);
    const lacking = 'Your e-mail address is not verified yet.';
    expect(textOf((await visitor.get('/account')).text)).toContain(lacking);
    await verifyAddress(server, email);
    expect(textOf((await visitor.get('/account')).text)).not.toContain(lacking);
  });

  it('shows a name as text, and never as markup', async () => {
    const { visitor } = await signedInBrowser(server);
    const displayName = '"><img src=x onerror=alert(1)>';
    await visitor.post('/account/profile', { displayName, locale: '' });
    const { text } = await visitor.get('/account');
    expect(text).not.toContain('<img');
    expect(textOf(text)).toContain(`Hello, ${displayName}`);
  });

  it('asks a browser without a session to sign in, and then comes back', async () => {
    const { username } = await signedInBrowser(server);
    const visitor = browser(server);
    const asked = await visitor.get('/account/profile');
    expect(asked.path).toBe('/sign-in?return_to=%2Faccount%2Fprofile');
    const page = await visitor.post('/sign-in', {
      ...visitor.fields(),
      username,
      password: GOOD_PASSWORD,
    });
    expect([page.status, page.path]).toEqual([200, '/account/profile']);
    // A form leads back to its page.
    visitor.cookies.clear();
    const sent = await visitor.post('/account/email/verification', {});
    expect(sent.path).toBe('/sign-in?return_to=%2Faccount%2Femail');
  });

  it('takes no form from another site', async () => {
    const { visitor } = await signedInBrowser(server);
    const headers = { 'sec-fetch-site': 'cross-site' };
    const { status, text } = await visitor.post(
      '/account/profile',
      { displayName: 'Eve', locale: '' },
      headers,
    );
    expect([status, textOf(text)]).toEqual([403, expect.stringContaining('from another site')]);
    expect(textOf((await visitor.get('/account')).text)).not.toContain('Eve');
  });
});

describe('the profile', () => {
  it('saves names and language, in which the page answers', async () => {
    const { id, username, visitor } = await signedInBrowser(server);
    const renamed = `${username}x`;
    const saved = await visitor.post('/account/profile', {
      username: renamed,
      displayName: 'Ada Lovelace',
      locale: 'de',
    });
    expect(saved.path).toBe('/account/profile?done=saved');
    expect(textOf(saved.text)).toContain('Ihr Profil ist gespeichert.');
    expect(saved.text).toContain('<html lang="de">');
    expect(saved.text).toContain('<option value="de" selected>Deutsch</option>');
    const { jwt } = await server.login(renamed);
    expect(await me(server, jwt)).toMatchObject({
      id,
      username: renamed,
      displayName: 'Ada Lovelace',
      locale: 'de',
    });
    await visitor.post('/account/profile', { username: renamed, displayName: '', locale: '' });
    expect(await me(server, jwt)).toMatchObject({ displayName: null, locale: null });
  });

  it('shows a problem at its field, and keeps the input', async () => {
    const { username } = await signedInBrowser(server);
    const { visitor } = await signedInBrowser(server);
    const taken = await visitor.post('/account/profile', {
      username,
      displayName: 'Ada',
      locale: 'de',
    });
    expect(taken.status).toBe(409);
    expect(textOf(taken.text)).toContain('This name is taken');
    expect(taken.text).toMatch(/<input id="username"[^>]*aria-invalid="true" autofocus/);
    expect([valueOf(taken.text, 'username'), valueOf(taken.text, 'displayName')]).toEqual([
      username,
      'Ada',
    ]);
  });
});

describe('a confirmation', () => {
  it('repeats the refused form without loss, and gives the browser a new cookie', async () => {
    const { id, username, visitor } = await signedInBrowser(server);
    const cookie = visitor.cookies.get('latchkey_session');
    await ageSessions(server, id);
    const renamed = `${username}y`;
    const asked = await visitor.post('/account/profile', {
      username: renamed,
      displayName: 'Ada & Co',
      locale: 'en',
    });
    expect(asked.status).toBe(401);
    expect(textOf(asked.text)).toContain('Confirm that it is you');
    expect(visitor.fields()).toEqual({
      username: renamed,
      displayName: 'Ada & Co',
      locale: 'en',
      continue: '/account/profile',
      continue_method: 'POST',
      signed_in_as: id,
    });
    const wrong = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      current_password: 'a wrong password',
    });
    expect(wrong.status).toBe(403);
    expect(textOf(wrong.text)).toContain('This is not your current password.');
    expect(wrong.text).not.toContain('a wrong password');
    expect(visitor.cookies.get('latchkey_session')).toBe(cookie);
    const saved = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      current_password: GOOD_PASSWORD,
    });
    expect([saved.status, saved.path]).toEqual([200, '/account/profile?done=saved']);
    expect(visitor.cookies.get('latchkey_session')).not.toBe(cookie);
    expect(await me(server, (await server.login(renamed)).jwt)).toMatchObject({
      displayName: 'Ada & Co',
    });
    // The old value of the cookie is worth nothing now.
    const thief = browser(server);
    thief.cookies.set('latchkey_session', String(cookie));
    expect((await thief.get('/account')).path).toBe('/sign-in?return_to=%2Faccount');
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/account/../sign-out',
    '/account/confirm',
    '/sign-out',
    '/account/%2e%2e/sign-out',
  ])('does not lead to %s', async (path) => {
    const { visitor } = await signedInBrowser(server);
    const page = await visitor.post('/account/confirm', {
      continue: path,
      continue_method: 'POST',
      current_password: GOOD_PASSWORD,
    });
    expect(page.path).toMatch(/^\/account(\/confirm)?$/);
  });

  it('counts wrong passwords', async () => {
    const limited = await startServer({ RATE_LIMITS: 'on' });
    try {
      const { visitor } = await signedInBrowser(limited);
      const send = () => visitor.post('/account/confirm', { current_password: 'wrong password' });
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 12; attempt++) statuses.push((await send()).status);
      expect(statuses.slice(0, 3)).toEqual([403, 403, 403]);
      expect(statuses.at(-1)).toBe(429);
    } finally {
      await limited.stop();
    }
  });
});

describe('the address', () => {
  it('is verified by a mail that the page sends again', async () => {
    const email = 'again@example.org';
    const { visitor } = await signedInBrowser(server, email);
    const shown = textOf((await visitor.get('/account/email')).text);
    expect(shown).toContain(`${email} Not verified`);
    const sent = await visitor.post('/account/email/verification', {});
    expect(sent.path).toBe('/account/email?done=verification-sent');
    const { token } = await mailTo(server, email, 2);
    await server.http.post('/email/verify').send({ token }).expect(204);
    expect(textOf((await visitor.get('/account/email')).text)).toContain(`${email} Verified`);
  });

  it('changes by a mail to the new one, after a confirmation that keeps the input', async () => {
    const { id, visitor } = await signedInBrowser(server);
    await ageSessions(server, id);
    const asked = await visitor.post('/account/email', { email: 'moved@example.org' });
    expect(visitor.fields()).toMatchObject({ email: 'moved@example.org' });
    expect(asked.status).toBe(401);
    const done = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      current_password: GOOD_PASSWORD,
    });
    expect(done.path).toBe('/account/email?done=change-requested');
    const token = await tokenOf(server, 'moved@example.org', CONFIRM);
    await server.http.post('/email/confirm').send({ token }).expect(204);
    expect(textOf((await visitor.get('/account/email')).text)).toContain('moved@example.org');
    const wrong = await visitor.post('/account/email', { email: 'no address' });
    expect([wrong.status, valueOf(wrong.text, 'email')]).toEqual([400, 'no address']);
    expect(textOf(wrong.text)).toContain('This is not an e-mail address.');
  });
});

describe('the password', () => {
  it('changes by the current one, and ends all other sessions', async () => {
    const { username, visitor } = await signedInBrowser(server);
    const other = browser(server);
    await other.signIn(username, GOOD_PASSWORD);
    const send = (current: string, next: string) =>
      visitor.post('/account/password', { current_password: current, new_password: next });
    expect(textOf((await send('wrong', NEW_PASSWORD)).text)).toContain(
      'This is not your current password.',
    );
    expect(textOf((await send(GOOD_PASSWORD, 'password')).text)).toContain(
      'This password is one of the first that attackers try.',
    );
    const empty = await send('', NEW_PASSWORD);
    expect([empty.status, textOf(empty.text)]).toEqual([
      400,
      expect.stringContaining('Fill in this field.'),
    ]);
    const changed = await send(GOOD_PASSWORD, NEW_PASSWORD);
    expect(changed.path).toBe('/account/password?done=changed');
    expect((await visitor.get('/account')).path).toBe('/account');
    expect((await other.get('/account')).path).toContain('/sign-in');
    await expect(server.login(username, NEW_PASSWORD)).resolves.toBeDefined();
  });
});

it('has no pages with PAGES=off', async () => {
  const off = await startServer({ PAGES: 'off' });
  try {
    for (const path of ['/', '/account', '/account/profile']) {
      expect([path, await codeOf(off.get(path))]).toEqual([path, 'not_found']);
    }
  } finally {
    await off.stop();
  }
});
