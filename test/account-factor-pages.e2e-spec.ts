import { UserChangesService } from '../src/users/user-changes.service.js';
import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { appCode, unused, wrongCode } from './support/authenticator.js';
import { browser, type PageBrowser, textOf } from './support/pages.js';
import { originOf } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { Authenticator, type Options } from './support/webauthn-authenticator.js';

let server: Server;
beforeAll(async () => {
  server = await startServer({ MFA_REQUIRED: 'guardian' });
});
afterAll(() => server.stop());

const LIST = '/account/factors';
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** The recovery codes of a document. */
const codesOf = (html: string) => [...html.matchAll(/<code>([^<]*)<\/code>/g)].map(([, c]) => c);

/** The options for a new passkey in a document. */
const optionsOf = (html: string) =>
  JSON.parse((/data-options="([^"]*)"/.exec(html)?.[1] ?? '').replaceAll('&quot;', '"')) as Options;

/** Begins to add an app. Resolves to its secret. */
async function startApp(visitor: PageBrowser, name = 'My phone') {
  const { text } = await visitor.post(`${LIST}/app`, { name });
  const [, secret = ''] = /<code class="secret">([^<]*)</.exec(text) ?? [];
  return { secret: secret.replaceAll(' ', ''), text };
}

/** Adds an app. Resolves to its secret and the page that follows. */
async function addApp(visitor: PageBrowser, name?: string) {
  const { secret } = await startApp(visitor, name);
  const code = appCode(secret);
  return { secret, page: await visitor.post(`${LIST}/app/confirm`, { ...visitor.fields(), code }) };
}

/** Adds a passkey. Resolves to its authenticator and the page that follows. */
async function addPasskey(visitor: PageBrowser, name = 'My laptop') {
  const authenticator = new Authenticator(originOf(server));
  const { text } = await visitor.get(`${LIST}/passkey`);
  const response = JSON.stringify(authenticator.create(optionsOf(text)));
  return { authenticator, page: await visitor.post(`${LIST}/passkey`, { response, name }) };
}

/** The path of the page of a factor. */
async function pathOf(visitor: PageBrowser, name: string) {
  const { text } = await visitor.get(LIST);
  const [, path = ''] = new RegExp(`href="([^"]*)" aria-label="Edit: ${name}"`).exec(text) ?? [];
  return path;
}

describe('an authenticator app', () => {
  it('is added by a code, and shows the recovery codes once', async () => {
    const { username, visitor } = await signedInBrowser(server);
    expect((await visitor.get(`${LIST}/app`)).text).toContain('value="Authenticator app"');
    const { secret, text } = await startApp(visitor);
    expect(text).toMatch(/<div class="qr" role="img" aria-label="QR code for the app"><svg /);
    expect(text).not.toMatch(/ style=|<style/);
    const { id = '', uri = '' } = visitor.fields();
    expect(uri).toContain(`secret=${secret}`);
    const code = wrongCode(secret);
    const wrong = await visitor.post(`${LIST}/app/confirm`, { id, uri, code });
    expect([wrong.status, textOf(wrong.text)]).toEqual([
      400,
      expect.stringContaining('This code is wrong or has expired.'),
    ]);
    expect(wrong.text).toContain('<svg ');
    const cookie = visitor.cookies.get('latchkey_session');
    const done = await visitor.post(`${LIST}/app/confirm`, { id, uri, code: appCode(secret) });
    expect(codesOf(done.text)).toHaveLength(10);
    // The session is worth more now.
    expect(visitor.cookies.get('latchkey_session')).not.toBe(cookie);
    const list = await visitor.get(LIST);
    expect(textOf(list.text)).toContain('My phone Authenticator app Added');
    expect(textOf(list.text)).toContain('10 codes are left.');
    expect(codesOf(list.text)).toEqual([]);
    await expect(server.login(username)).rejects.toThrow('second_factor_required');
  });

  it('begins anew if its enrolment does not exist', async () => {
    const { visitor } = await signedInBrowser(server);
    const { status, text } = await visitor.post(`${LIST}/app/confirm`, {
      id: 'none',
      uri: 'javascript:alert(1)',
      code: '123456',
    });
    expect(status).toBe(404);
    expect(textOf(text)).toContain('This does not exist any more.');
    expect(text).toContain('action="/account/factors/app"');
    expect(text).not.toContain('javascript:');
  });

  it('confirms a later action by its code, or by a recovery code', async () => {
    const { id, visitor } = await signedInBrowser(server);
    const { secret, page } = await addApp(visitor);
    const [recoveryCode = ''] = codesOf(page.text);
    await server.withDatabase(unused);
    const path = await pathOf(visitor, 'My phone');
    await ageSessions(server, id);
    const asked = await visitor.post(path, { name: 'My old phone' });
    expect(asked.status).toBe(401);
    const wrong = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      proof_code: wrongCode(secret),
    });
    expect(wrong.text).toMatch(/<input id="proof_code"[^>]*aria-invalid="true" autofocus/);
    const done = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      proof_code: appCode(secret),
    });
    expect(done.path).toBe(`${LIST}?done=renamed`);
    expect(textOf(done.text)).toContain('My old phone');
    await ageSessions(server, id);
    await visitor.post(path, { name: 'My new phone' });
    const bad = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      proof_recovery_code: 'AAAA-AAAA-AAAA-AAAA',
    });
    expect(bad.text).toMatch(/<input id="proof_recovery_code"[^>]*aria-invalid="true" autofocus/);
    const renamed = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      proof_recovery_code: recoveryCode,
    });
    expect(textOf(renamed.text)).toContain('My new phone');
  });

  it('is removed, and takes the recovery codes along', async () => {
    const { visitor } = await signedInBrowser(server);
    await addApp(visitor);
    const path = await pathOf(visitor, 'My phone');
    const wrong = await visitor.post(path, { name: '' });
    expect(wrong.text).toMatch(/<input id="name"[^>]*aria-invalid="true" autofocus/);
    const removed = await visitor.post(`${path}/remove`, {});
    expect(removed.path).toBe(`${LIST}?done=removed`);
    expect(textOf(removed.text)).not.toMatch(/My phone|codes are left/);
    expect((await visitor.get(path)).status).toBe(404);
    expect(textOf((await visitor.post(`${path}/remove`, {})).text)).toContain(
      'This does not exist any more.',
    );
  });

  it('makes new recovery codes, which end the old ones', async () => {
    const { visitor } = await signedInBrowser(server);
    const none = await visitor.post(`${LIST}/recovery-codes`, {});
    expect(none.status).toBe(404);
    const { page } = await addApp(visitor);
    const renewed = codesOf((await visitor.post(`${LIST}/recovery-codes`, {})).text);
    expect(renewed).toHaveLength(10);
    expect(renewed.filter((code) => codesOf(page.text).includes(code))).toEqual([]);
  });
});

describe('a passkey', () => {
  it('is added, confirms a later action, and is removed', async () => {
    const { id, visitor } = await signedInBrowser(server);
    const { authenticator, page } = await addPasskey(visitor);
    expect(codesOf(page.text)).toHaveLength(10);
    const list = await visitor.get(LIST);
    expect(textOf(list.text)).toContain('My laptop Passkey Added');
    expect(list.text).toMatch(/data-passkeys="[^"]*allAcceptedCredentialIds&quot;:\[&quot;/);
    const path = await pathOf(visitor, 'My laptop');
    await ageSessions(server, id);
    const asked = await visitor.post(`${path}/remove`, {});
    expect(textOf(asked.text)).toContain('Confirm with a passkey');
    const response = await fetch(`${server.url}/login/passkey/options`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const proof = authenticator.get((await response.json()) as Options);
    const removed = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      proof_passkey: JSON.stringify(proof),
    });
    expect(removed.path).toBe(`${LIST}?done=removed`);
    expect(removed.text).toContain('allAcceptedCredentialIds&quot;:[]');
  });

  it('without a name gets the one of the device, in the language of the page', async () => {
    for (const [agent, name] of [
      [FIREFOX, 'Firefox, Windows'],
      ['Odd/1.0', 'Unbekanntes Gerät'],
    ] as const) {
      const { username } = await signedInBrowser(server);
      const visitor = browser(server, { 'accept-language': 'de', 'user-agent': agent });
      await visitor.signIn(username, GOOD_PASSWORD);
      await addPasskey(visitor, '');
      expect(textOf((await visitor.get(LIST)).text)).toContain(`${name} Passkey`);
    }
  });

  it.each(['', '{}', 'no json', '{"id":"x"}'])(
    'is not added by the answer %j',
    async (response) => {
      const { visitor } = await signedInBrowser(server);
      const { status, text } = await visitor.post(`${LIST}/passkey`, { response, name: 'Mine' });
      expect(status).toBe(400);
      expect(textOf(text)).toContain('Your browser made no passkey.');
      expect(optionsOf(text).challenge).toEqual(expect.any(String));
      expect(text).toContain('value="Mine"');
    },
  );

  it('asks for a confirmation first, and then goes on', async () => {
    const { id, visitor } = await signedInBrowser(server);
    await ageSessions(server, id);
    const asked = await visitor.get(`${LIST}/passkey`);
    expect(asked.status).toBe(401);
    expect(visitor.fields()).toEqual({
      continue: `${LIST}/passkey`,
      continue_method: 'GET',
      signed_in_as: id,
    });
    const { status, path } = await visitor.post('/account/confirm', {
      ...visitor.fields(),
      current_password: GOOD_PASSWORD,
    });
    expect([status, path]).toEqual([200, `${LIST}/passkey`]);
  });
});

describe('a user whose role requires a factor', () => {
  it('gets to the factors from every page, and everywhere after adding one', async () => {
    const { id, username } = await signedInBrowser(server);
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['guardian']);
    const visitor = browser(server);
    const signedIn = await visitor.signIn(username, GOOD_PASSWORD);
    expect(signedIn.path).toBe(LIST);
    expect(textOf(signedIn.text)).toContain('Your role requires a second factor.');
    expect((await visitor.get('/account/profile')).path).toBe(LIST);
    expect(codesOf((await addApp(visitor)).page.text)).toHaveLength(10);
    expect((await visitor.get('/account/profile')).path).toBe('/account/profile');
  });
});

describe('the devices', () => {
  it('shows each session in words, and ends one or all others', async () => {
    const { username, visitor } = await signedInBrowser(server);
    const others = [1, 2, 3].map(() => browser(server, { 'user-agent': FIREFOX }));
    for (const other of others) await other.signIn(username, GOOD_PASSWORD);
    const { text } = await visitor.get('/account/sessions');
    const words = textOf(text);
    expect(words).toContain('Unknown device This device Signed in with: password Last used: ');
    expect(words.match(/Firefox, Windows Signed in with: password/g)).toHaveLength(3);
    expect(text).toMatch(/<time datetime="[\d-]+T[\d:.]+Z">[^<]+ UTC<\/time>/);
    const ended = await visitor.post('/account/sessions/end', visitor.fields());
    expect(ended.path).toBe('/account/sessions?done=ended');
    const living = async () => {
      const paths = [];
      for (const other of others) paths.push((await other.get('/account')).path);
      return paths.filter((path) => path === '/account').length;
    };
    expect(await living()).toBe(2);
    await visitor.post('/account/sessions/end-others', {});
    expect(await living()).toBe(0);
    expect((await visitor.get('/account')).path).toBe('/account');
  });

  it('ends no session of another user', async () => {
    const { username, visitor } = await signedInBrowser(server);
    await browser(server).signIn(username, GOOD_PASSWORD);
    await visitor.get('/account/sessions');
    const { id = '' } = visitor.fields();
    const { visitor: stranger } = await signedInBrowser(server);
    expect((await stranger.post('/account/sessions/end', { id })).status).toBe(404);
    expect((await stranger.post('/account/sessions/end', { id: '\0' })).status).toBe(400);
    expect((await visitor.get('/account/sessions')).text).toContain(id);
  });
});
