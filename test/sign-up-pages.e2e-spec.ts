import { mailAbout, mailsOf } from './support/mailbox.js';
import { browser, stateOf, textOf } from './support/pages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server: Server;
beforeAll(async () => {
  server = await startServer({ TERMS_URL: 'https://example.com/terms' });
});
afterAll(() => server.stop());

describe('the page to register', () => {
  it('makes an account, and signs its user in', async () => {
    const visitor = browser(server);
    const { text } = await visitor.get('/sign-up');
    expect(text).toContain('<a href="https://example.com/terms">terms of use</a>');
    await visitor.post('/sign-up', { username: 'ada', email: '', password: GOOD_PASSWORD });
    expect(await stateOf(visitor)).toBe('ada');
  });

  it('leads on to the page that the sign-in was for, and keeps the browser signed in', async () => {
    const visitor = browser(server);
    const query = '?return_to=%2Faccount%2Femail&remember=on';
    const links = { 'sign-in': '/sign-up', 'sign-up': '/sign-in' };
    for (const [page, link] of Object.entries(links)) {
      const { text } = await visitor.get(`/${page}${query}`);
      expect(text).toContain(`href="${link}${query.replace('&', '&amp;')}"`);
    }
    const wishes = { return_to: '/account/email', remember: 'on' };
    expect(visitor.fields()).toEqual(wishes);
    const form = { ...wishes, username: 'anna', email: '', password: 'password' };
    expect((await visitor.post('/sign-up', form)).status).toBe(400);
    expect(visitor.fields()).toEqual(wishes);
    const { path } = await visitor.post('/sign-up', { ...form, password: GOOD_PASSWORD });
    expect(path).toBe('/account/email');
  });

  it('shows each problem at its field, and keeps all but the password', async () => {
    await server.register('taken');
    const visitor = browser(server);
    const fields = { username: 'taken', email: 'x@example.org', password: GOOD_PASSWORD };
    const cases: [Record<string, string>, number, string][] = [
      [{}, 409, 'This name is taken or looks like another one.'],
      [{ username: 'a b' }, 400, 'Use letters, digits, dots, hyphens and underscores'],
      [{ username: '' }, 400, 'Fill in this field.'],
      [{ username: 'eve', email: 'no address' }, 400, 'This is not an e-mail address.'],
      [
        { username: 'eve', password: 'password' },
        400,
        'This password is one of the first that attackers try.',
      ],
    ];
    for (const [changes, status, sentence] of cases) {
      const page = await visitor.post('/sign-up', { ...fields, ...changes });
      expect([page.status, textOf(page.text).includes(sentence)]).toEqual([status, true]);
      expect(page.text).toMatch(/aria-invalid="true" autofocus/);
      expect(page.text).toContain(`value="${changes.email ?? 'x@example.org'}"`);
      expect(page.text).not.toContain(`value="${changes.password ?? GOOD_PASSWORD}"`);
    }
    expect(await stateOf(visitor)).toBeUndefined();
  });

  it('asks for the mail first where an address has to be verified', async () => {
    const strict = await startServer({ REQUIRE_VERIFIED_EMAIL: 'on' });
    try {
      const visitor = browser(strict);
      const fields = { username: 'ada', email: '', password: GOOD_PASSWORD };
      const missing = await visitor.post('/sign-up', fields);
      expect(missing.status).toBe(400);
      expect(missing.text).toMatch(/<input id="email"[^>]* aria-invalid="true" autofocus/);
      const whole = { ...fields, email: 'ada@example.org', return_to: '/account/email' };
      const made = await visitor.post('/sign-up', whole);
      expect(made.path).toBe('/sign-in?done=check-mail&return_to=%2Faccount%2Femail');
      expect(visitor.fields()).toMatchObject({ return_to: '/account/email' });
      const refused = await visitor.signIn('ada', GOOD_PASSWORD);
      expect(refused.status).toBe(403);
      expect(refused.text).toContain('<a href="/verification">Mail me a new link</a>');
      const texts: string[] = [];
      for (const email of ['nobody@example.org', 'ada@example.org']) {
        const { path, text } = await visitor.post('/verification', { email });
        expect(path).toBe('/verification?done=sent');
        texts.push(text);
      }
      expect(texts[0]).toBe(texts[1]);
      await until(async () => (await mailsOf(strict)).length === 2, 'the second mail');
      const { token = '' } = await mailAbout(
        strict,
        'ada@example.org',
        'Confirm your e-mail address',
      );
      const page = '/account/verify-email';
      const { text } = await visitor.post(page, { token });
      expect(text).toContain('<a class="button main" href="/sign-in">Sign in</a>');
      await visitor.signIn('ada', GOOD_PASSWORD);
      expect(await stateOf(visitor)).toBe('ada');
      expect(textOf(made.text)).toContain('We have sent you a mail.');
    } finally {
      await strict.stop();
    }
  });

  it('asks for an address alone with IDENTIFIER=email, and answers every address alike', async () => {
    const nameless = await startServer({ IDENTIFIER: 'email' });
    try {
      const visitor = browser(nameless);
      const { text } = await visitor.get('/sign-up');
      expect(text).not.toContain('name="username"');
      const fields = { email: 'ada@example.org', password: GOOD_PASSWORD };
      for (let i = 0; i < 2; i++) {
        const { path } = await visitor.post('/sign-up', fields);
        expect(path).toBe('/sign-in?done=check-mail');
      }
    } finally {
      await nameless.stop();
    }
  });
});

describe('the page for a forgotten password', () => {
  it('answers every address alike, and mails the link to the account', async () => {
    const email = 'grace@example.org';
    await server.register('grace', GOOD_PASSWORD, email);
    const visitor = browser(server);
    const texts: string[] = [];
    for (const address of ['nobody@example.org', email]) {
      const { path, text } = await visitor.post('/forgot-password', { email: address });
      expect(path).toBe('/forgot-password?done=sent');
      texts.push(text);
    }
    expect(texts[0]).toBe(texts[1]);
    const { token = '' } = await mailAbout(server, email, 'Set a new password');
    const form = { token, password: 'another good pass phrase' };
    const { text } = await visitor.post('/account/reset-password', form);
    expect(text).toContain('<a class="button main" href="/sign-in">Sign in</a>');
    await visitor.signIn('grace', form.password);
    expect(await stateOf(visitor)).toBe('grace');
  });

  it('says that a text is no address', async () => {
    const { status, text } = await browser(server).post('/forgot-password', { email: 'grace' });
    expect(status).toBe(400);
    expect(textOf(text)).toContain('This is not an e-mail address.');
    expect(text).toContain('value="grace"');
  });
});
