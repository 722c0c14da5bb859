import { asking } from './support/admins.js';
import { appCode, personWithApp, unused, wrongCode } from './support/authenticator.js';
import { send as postJson } from './support/http.js';
import { browser, stateOf, textOf } from './support/pages.js';
import { originOf, userWithPasskey } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { Authenticator, type Options } from './support/webauthn-authenticator.js';

const PATH = '/sign-in/second-factor';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

let users = 0;

/** A browser whose user has typed the right password, and the user's app. */
async function waiting(more: Record<string, string> = {}) {
  const { name: username, app, jwt } = await personWithApp(server, `Second${++users}`);
  const visitor = browser(server);
  const page = await visitor.signIn(username, GOOD_PASSWORD, more);
  return { visitor, page, app, username, jwt };
}

describe('the page for the second factor', () => {
  it('follows the right password, and takes the code of an app with blanks', async () => {
    const { visitor, page, app, username } = await waiting();
    expect(page.status).toBe(200);
    expect(page.path).toBe('/sign-in');
    expect(visitor.fields()).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      methods: 'totp recovery_code',
      return_to: '/account',
    });
    expect(page.text).toMatch(/<input id="code"[^>]* autocomplete="one-time-code"[^>]*>/);
    expect(page.text).not.toContain('data-passkey');
    expect(await stateOf(visitor)).toBeUndefined();
    const spaced = appCode(app.secret).replace(/^(...)/, ' $1 ');
    await visitor.get('/sign-in');
    const again = await visitor.signIn(username, GOOD_PASSWORD);
    expect(again.status).toBe(200);
    await visitor.post(PATH, { ...visitor.fields(), code: spaced });
    expect(await stateOf(visitor)).toBe(username);
  });

  it('keeps "keep me signed in" and the way back', async () => {
    const { visitor, app } = await waiting({ remember: 'on', return_to: '/account/password' });
    expect(visitor.fields()).toMatchObject({ remember: 'on', return_to: '/account/password' });
    const wrong = await visitor.post(PATH, { ...visitor.fields(), code: wrongCode(app.secret) });
    expect(wrong.status).toBe(400);
    expect(textOf(wrong.text)).toContain('This code is wrong or has expired.');
    expect(wrong.text).toMatch(/<input id="code"[^>]* aria-invalid="true" autofocus/);
    expect(visitor.fields()).toMatchObject({ remember: 'on', return_to: '/account/password' });
    const answer = await fetch(server.url + PATH, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin', cookie: visitor.cookieHeader() },
      body: new URLSearchParams({ ...visitor.fields(), code: appCode(app.secret) }),
    });
    expect(answer.headers.get('location')).toBe('/account/password');
    expect(answer.headers.get('set-cookie')).toMatch(/^latchkey_session=[^;]+; Max-Age=\d{6,};/);
  });

  it('takes a recovery code, and shows a wrong one at its field', async () => {
    const { visitor, app, username } = await waiting();
    const wrong = await visitor.post(PATH, { ...visitor.fields(), recovery_code: 'no such code' });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/<details open>.*<input id="recovery_code"[^>]* autofocus/s);
    expect(wrong.text).not.toContain('no such code');
    const [code = ''] = app.recoveryCodes;
    await visitor.post(PATH, { ...visitor.fields(), recovery_code: code.toLowerCase() });
    expect(await stateOf(visitor)).toBe(username);
  });

  it('takes the answer of a passkey as the text of a field', async () => {
    const { username, authenticator } = await userWithPasskey(server);
    const visitor = browser(server);
    const { text } = await visitor.signIn(username, GOOD_PASSWORD);
    const { challenge = '' } = visitor.fields();
    expect(text).toContain(`data-challenge="${challenge}"`);
    const optionsFor = async (challenge = '') => {
      const asked = server.http
        .post('/login/passkey/options')
        .set('cookie', visitor.cookieHeader());
      return (await asked.send({ challenge })).body as Options;
    };
    const stranger = new Authenticator(originOf(server)).create(await optionsFor(challenge));
    for (const passkey of ['', '{', '[]', 'null', '"x"', '{}', JSON.stringify(stranger)]) {
      const refused = await visitor.post(PATH, { ...visitor.fields(), passkey });
      expect([passkey, refused.status]).toEqual([passkey, 400]);
      expect(refused.text).toContain('role="alert"');
      if (passkey !== '{}') continue;
      expect(textOf(refused.text)).toContain('This passkey was not accepted.');
    }
    const again = await visitor.signIn(username, GOOD_PASSWORD);
    expect(again.status).toBe(200);
    const fields = visitor.fields();
    const passkey = JSON.stringify(authenticator.get(await optionsFor(fields.challenge)));
    await visitor.post(PATH, { ...fields, passkey });
    expect(await stateOf(visitor)).toBe(username);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no code', { code: '' }, 'Fill in this field.'],
    ['letters', { code: 'abcdef' }, 'The code has six digits.'],
    ['no proof', {}, 'Fill in this field.'],
  ])('says what is wrong with %s', async (_what, proof, sentence) => {
    const { visitor } = await waiting();
    const { status, text } = await visitor.post(PATH, { ...visitor.fields(), ...proof });
    expect([status, textOf(text).includes(sentence)]).toEqual([400, true]);
  });

  it('leads back to the sign-in if the challenge is over or missing', async () => {
    const { visitor, app } = await waiting();
    const { methods = '' } = visitor.fields();
    const code = appCode(app.secret);
    const fields = { methods, return_to: '/' };
    for (const form of [
      { ...fields, code },
      { ...fields, challenge: 'A'.repeat(43), code },
      { ...fields, challenge: '', code },
      {},
    ]) {
      const { path, text } = await visitor.post(PATH, form);
      expect(path).toBe('/sign-in?problem=challenge_invalid&return_to=%2Faccount');
      expect(textOf(text)).toContain('This sign-in has expired or was completed. Start again.');
    }
    expect((await visitor.get(PATH)).path).toBe('/sign-in');
  });

  it('tells how long to wait after five answers', async () => {
    const { visitor, app } = await waiting();
    const code = wrongCode(app.secret);
    for (let i = 0; i < 5; i++) await visitor.post(PATH, { ...visitor.fields(), code });
    const { status, text } = await visitor.post(PATH, {
      ...visitor.fields(),
      code: appCode(app.secret),
    });
    expect(status).toBe(429);
    expect(textOf(text)).toMatch(/Too many attempts\. Try again in (9|10) minutes\./);
  });

  it('signs one of 16 browsers in by one code', async () => {
    const { visitor, app, username, jwt } = await waiting();
    await server.withDatabase(unused);
    const fields = { ...visitor.fields(), code: appCode(app.secret) };
    const browsers = Array.from({ length: 16 }, () => browser(server, {}, visitor.cookies));
    await Promise.all(browsers.map((one) => one.post(PATH, fields)));
    const states = await Promise.all(browsers.map(stateOf));
    expect(states.filter((state) => state === username)).toHaveLength(1);
    const { body } = await asking(server, jwt).ask('GET', '/me/sessions');
    // The first session is the one that added the app.
    expect(body.sessions).toHaveLength(2);
  });

  it('speaks German', async () => {
    const { name: username } = await personWithApp(server, `Second${++users}`);
    const visitor = browser(server, { 'accept-language': 'de' });
    const { text } = await visitor.signIn(username, GOOD_PASSWORD);
    expect(textOf(text)).toContain('Bestätigen Sie, dass Sie es sind');
  });
});

describe('a challenge and its browser', () => {
  const cookie = (value: string) => `latchkey_browser=${value.repeat(43)}`;
  const bad = { status: 401, code: 'challenge_invalid' };

  /** Sends JSON with a cookie. */
  async function send(path: string, body: object, cookies?: string) {
    const headers = cookies === undefined ? undefined : { cookie: cookies };
    const answer = await postJson(server.url + path, 'POST', body, headers);
    const { code, challenge } = (await answer.json()) as { code?: string; challenge?: string };
    return { status: answer.status, code, challenge };
  }

  /** A challenge that was made with a cookie, and a code to answer it. */
  async function challenged(cookies?: string) {
    const { name: username, app } = await personWithApp(server, `Second${++users}`);
    const body = { username, password: GOOD_PASSWORD };
    const { challenge = '' } = await send('/login', body, cookies);
    return { challenge, code: appCode(app.secret) };
  }
  const answer = (body: object, cookies?: string) => send('/login/second-factor', body, cookies);

  it('refuses every other browser, by JSON too, and does not count it', async () => {
    const answered = await challenged(cookie('A'));
    for (const other of [undefined, cookie('B'), 'latchkey_browser=', `x${cookie('A')}`]) {
      for (let i = 0; i < 2; i++) expect(await answer(answered, other)).toMatchObject(bad);
      const { challenge } = answered;
      expect(await send('/login/passkey/options', { challenge }, other)).toMatchObject(bad);
    }
    expect(await answer(answered, `a=b; ${cookie('A')}; c=d`)).toMatchObject({ status: 200 });
  });

  it('takes the cookie with the prefix first, which no other host can set', async () => {
    const [mine, planted] = [`__Host-${cookie('A')}`, cookie('B')];
    const answered = await challenged(`${planted}; ${mine}`);
    expect(await answer(answered, planted)).toMatchObject(bad);
    expect(await answer(answered, mine)).toMatchObject({ status: 200 });
  });

  it('takes any client for a challenge that was made without a cookie', async () => {
    expect(await answer(await challenged(), cookie('A'))).toMatchObject({ status: 200 });
    expect(await answer(await challenged('latchkey_browser=short'))).toMatchObject({ status: 200 });
  });

  it('binds the challenge of the page, whose cookie is one of 32 random bytes', async () => {
    const { visitor, app, username } = await waiting();
    const value = visitor.cookies.get('latchkey_browser');
    expect(value).toMatch(/^[\w-]{43}$/);
    const thief = browser(server);
    const form = { ...visitor.fields(), code: appCode(app.secret) };
    const { path } = await thief.post(PATH, form);
    expect(path).toContain('/sign-in?problem=challenge_invalid');
    await visitor.post(PATH, form);
    expect(await stateOf(visitor)).toBe(username);
    expect(visitor.cookies.get('latchkey_browser')).toBe(value);
    const { headers } = await server.http.get('/sign-in');
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^latchkey_browser=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/i),
    ]);
  });
});
