import { appCode, personWithApp } from './support/authenticator.js';
import { User } from '../src/users/user.entity.js';
import { mailSignIns } from './support/mail-sign-ins.js';
import { browser, type PageBrowser, stateOf, textOf } from './support/pages.js';
import { type Server, startServer } from './support/server.js';

const PATH = '/sign-in/mail';
const VERIFY = `${PATH}/verify`;

let server: Server;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on' });
});
afterAll(() => server.stop());

const { newUser, asked } = mailSignIns(() => server);

/** Asks for a code on the page, and waits for its mail. */
async function mailedTo(email: string, more: Record<string, string> = {}) {
  const visitor = browser(server);
  await visitor.get(PATH);
  const page = await visitor.post(PATH, { ...visitor.fields(), email, ...more });
  const { challenge = '' } = visitor.fields();
  const { code } = await asked(email, { status: 202, body: { challenge } });
  return { visitor, page, code };
}

const verify = (visitor: PageBrowser, code: string) =>
  visitor.post(VERIFY, { ...visitor.fields(), code });

/** Returns another code of eight digits. */
const otherThan = (code: string) => (code === '12345678' ? '87654321' : '12345678');

describe('the page to sign in by mail', () => {
  it('takes the mailed code with blanks, and signs its reader in', async () => {
    const { username, email } = await newUser();
    const { visitor, page, code } = await mailedTo(email);
    expect([page.status, page.path]).toEqual([200, PATH]);
    expect(page.text).toMatch(/<input id="code"[^>]* autocomplete="one-time-code"[^>]*>/);
    expect(visitor.fields()).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      email,
      return_to: '/account',
    });
    expect(page.text).not.toContain(code);
    const { path } = await verify(visitor, ` ${code.slice(0, 4)} ${code.slice(4)}`);
    expect(path).toBe('/account');
    expect(await stateOf(visitor)).toBe(username);
  });

  it('is linked from the page to sign in, and carries the way back and the wish to stay', async () => {
    const { email } = await newUser();
    const { text } = await browser(server).get('/sign-in?return_to=/account/email&remember=on');
    const link = `${PATH}?return_to=%2Faccount%2Femail&amp;remember=on`;
    expect(text).toContain(`href="${link}"`);
    const shown = await browser(server).get(link.replace('&amp;', '&'));
    expect(shown.text).toMatch(/name="remember"[^>]* checked/);
    const wishes = { remember: 'on', return_to: '/account/email' };
    const { visitor, code } = await mailedTo(email, wishes);
    await verify(visitor, otherThan(code));
    expect(visitor.fields()).toMatchObject(wishes);
    const answer = await fetch(server.url + VERIFY, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ ...visitor.fields(), code }),
    });
    expect(answer.headers.get('location')).toBe('/account/email');
    expect(answer.headers.get('set-cookie')).toMatch(/latchkey_session=[^;]+; Max-Age=\d{6,};/);
  });

  it('answers every address alike', async () => {
    const { email } = await newUser();
    const pages = await Promise.all(
      ['nobody@example.org', email].map(async (address) => {
        const visitor = browser(server);
        const { status, text } = await visitor.post(PATH, { email: address });
        const { challenge = '' } = visitor.fields();
        return { status, text: text.replaceAll(address, '…').replaceAll(challenge, '…') };
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
  });

  it.each([
    ['', 'Fill in this field.'],
    ['mailer', 'This is not an e-mail address.'],
  ])('says what is wrong with the address "%s"', async (email, sentence) => {
    const { status, text } = await browser(server).post(PATH, { email });
    expect([status, textOf(text).includes(sentence)]).toEqual([400, true]);
    expect(text).toMatch(/<input id="email"[^>]* aria-invalid="true" autofocus/);
  });

  it('shows a wrong code at its field, keeps the challenge, and takes five answers', async () => {
    const { email } = await newUser();
    const { visitor, code } = await mailedTo(email);
    const fields = visitor.fields();
    const missing = await verify(visitor, '');
    expect([missing.status, textOf(missing.text).includes('Fill in this field.')]).toEqual([
      400,
      true,
    ]);
    for (let i = 0; i < 5; i++) {
      const { status, text } = await verify(visitor, otherThan(code));
      expect(status).toBe(400);
      expect(textOf(text)).toContain('This code is wrong or has expired.');
      expect(text).toMatch(/<input id="code"[^>]* aria-invalid="true" autofocus/);
      expect(text).not.toContain(otherThan(code));
      expect(visitor.fields()).toEqual(fields);
    }
    const { status, text } = await verify(visitor, code);
    expect(status).toBe(429);
    expect(textOf(text)).toMatch(/Too many attempts\. Try again in (9|10) minutes\./);
    expect(await stateOf(visitor)).toBeUndefined();
  });

  it('leads back to the start if the challenge is over or missing', async () => {
    const { email } = await newUser();
    const { visitor, code } = await mailedTo(email);
    const fields = { ...visitor.fields(), code, return_to: '/account/email' };
    await visitor.post(VERIFY, fields);
    await visitor.post('/sign-out', {});
    for (const form of [fields, { ...fields, challenge: 'A'.repeat(43) }]) {
      const { path, text } = await visitor.post(VERIFY, form);
      expect(path).toBe(`${PATH}?problem=challenge_invalid&return_to=%2Faccount%2Femail`);
      expect(textOf(text)).toContain('This sign-in has expired or was completed. Start again.');
    }
    expect((await visitor.post(VERIFY, {})).path).toBe(`${PATH}?problem=challenge_invalid`);
    expect((await visitor.get(VERIFY)).path).toBe(PATH);
  });

  it('asks for the second factor afterwards', async () => {
    const { name, app } = await personWithApp(server, 'MailerWithApp');
    const email = 'with-app@example.org';
    await server.withDatabase((db) =>
      db
        .getRepository(User)
        .update({ username: name }, { email, emailKey: email, emailVerifiedAt: new Date() }),
    );
    const { visitor, code } = await mailedTo(email);
    const waiting = await verify(visitor, code);
    expect(waiting.status).toBe(200);
    expect(textOf(waiting.text)).toContain('Confirm that it is you');
    expect(await stateOf(browser(server, {}, visitor.cookies))).toBeUndefined();
    const fields = { ...visitor.fields(), code: appCode(app.secret) };
    await visitor.post('/sign-in/second-factor', fields);
    expect(await stateOf(visitor)).toBe(name);
  });

  it('signs one of 16 browsers in by one code', async () => {
    const { username, email } = await newUser();
    const { visitor, code } = await mailedTo(email);
    const form = { ...visitor.fields(), code };
    const browsers = Array.from({ length: 16 }, () => browser(server, {}, visitor.cookies));
    await Promise.all(browsers.map((one) => one.post(VERIFY, form)));
    const states = await Promise.all(browsers.map(stateOf));
    expect(states.filter((state) => state === username)).toHaveLength(1);
  });

  it.each([PATH, VERIFY])('refuses a form from another site at %s', async (path) => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const form = { email: 'ada@example.org', challenge: 'A'.repeat(43), code: '12345678' };
    expect((await browser(server).post(path, form, headers)).status).toBe(403);
  });

  it('speaks German', async () => {
    const { text } = await browser(server, { 'accept-language': 'de' }).get(PATH);
    expect(textOf(text)).toContain('Per Mail anmelden');
  });
});

it('is not there unless SIGN_IN_BY_MAIL=on', async () => {
  const without = await startServer();
  try {
    expect((await browser(without).get('/sign-in')).text).not.toContain(PATH);
    expect((await browser(without).get(PATH)).status).toBe(404);
  } finally {
    await without.stop();
  }
});
