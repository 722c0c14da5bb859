import { appCode, personWithApp } from './support/authenticator.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { browser, type PageBrowser } from './support/pages.js';
import { optionsOf, userWithPasskey } from './support/passkeys.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on' });
});
afterAll(() => server.stop());

const { newUser, asked } = mailSignIns(() => server);

const wayOf = ({ cookies }: PageBrowser) => cookies.get('latchkey_way');

/** Returns the ways on the page to sign in, in their order, and where the focus is. */
async function shown(visitor: PageBrowser) {
  const { text } = await visitor.get('/sign-in');
  const parts = /id="password"|data-passkey="|href="\/sign-in\/mail"|class="or"/g;
  const names: Record<string, string> = {
    'id="password"': 'password',
    'data-passkey="': 'passkey',
    'href="/sign-in/mail"': 'mail',
    'class="or"': 'or',
  };
  return {
    ways: [...text.matchAll(parts)].map(([part]) => names[part]),
    inNameField: /<input id="username"[^>]* autofocus/.test(text),
  };
}

const PLAIN = { ways: ['password', 'passkey', 'mail'], inNameField: true };

describe('the way that a browser last signed in by', () => {
  it('is the password after a form with one, and after a registration', async () => {
    const { username } = await newUser();
    const visitor = browser(server);
    expect(await shown(visitor)).toEqual(PLAIN);
    await visitor.signIn(username, 'a wrong password');
    expect(wayOf(visitor)).toBeUndefined();
    await visitor.signIn(username, GOOD_PASSWORD);
    expect(wayOf(visitor)).toBe('password');
    await visitor.post('/sign-out', {});
    expect(await shown(visitor)).toEqual(PLAIN);
    const newcomer = browser(server);
    await newcomer.post('/sign-up', { username: 'anna', email: '', password: GOOD_PASSWORD });
    expect(wayOf(newcomer)).toBe('password');
  });

  it('is shown first if it is a passkey', async () => {
    const { authenticator } = await userWithPasskey(server);
    const visitor = browser(server);
    const options = await optionsOf(server, '/login/passkey/options');
    const response = JSON.stringify(authenticator.get(options));
    await visitor.post('/sign-in/passkey', { response });
    expect(wayOf(visitor)).toBe('passkey');
    await visitor.post('/sign-out', {});
    const ways = ['passkey', 'or', 'password', 'mail'];
    expect(await shown(visitor)).toEqual({ ways, inNameField: false });
  });

  it('is shown first if it is a mailed code', async () => {
    const { email } = await newUser();
    const visitor = browser(server);
    await visitor.post('/sign-in/mail', { email });
    const { challenge = '' } = visitor.fields();
    const { code } = await asked(email, { status: 202, body: { challenge } });
    expect(wayOf(visitor)).toBeUndefined();
    await visitor.post('/sign-in/mail/verify', { challenge, code });
    expect(wayOf(visitor)).toBe('mail');
    await visitor.post('/sign-out', {});
    const ways = ['mail', 'or', 'password', 'passkey'];
    expect(await shown(visitor)).toEqual({ ways, inNameField: false });
  });

  it('is the first factor, not the second one', async () => {
    const { name, app } = await personWithApp(server, 'WithApp');
    const visitor = browser(server);
    await visitor.signIn(name, GOOD_PASSWORD);
    expect(wayOf(visitor)).toBe('password');
    await visitor.post('/sign-in/second-factor', {
      ...visitor.fields(),
      code: appCode(app.secret),
    });
    expect(wayOf(visitor)).toBe('password');
  });

  it.each(['', 'mail-code', 'PASSKEY', 'constructor', '"><script>', 'a'.repeat(4000)])(
    'is none if the cookie says %j',
    async (value) => {
      const cookies: [string, string][] = [['latchkey_way', encodeURIComponent(value)]];
      expect(await shown(browser(server, {}, cookies))).toEqual(PLAIN);
    },
  );

  it('is kept for a year, out of the reach of scripts', async () => {
    const { username } = await newUser();
    const answer = await fetch(`${server.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ username, password: GOOD_PASSWORD }),
    });
    expect(answer.headers.getSetCookie()).toContain(
      'latchkey_way=password; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax',
    );
  });

  it('is none if it is off by now', async () => {
    const without = await startServer();
    try {
      const ways = ['password', 'passkey'];
      const visitor = browser(without, {}, [['latchkey_way', 'mail']]);
      expect(await shown(visitor)).toEqual({ ways, inNameField: true });
    } finally {
      await without.stop();
    }
  });
});
