import {
  CHANGED,
  changeAddress,
  CONFIRM,
  me,
  newUser,
  RESET,
  tokenOf,
  VERIFY,
  verifyAddress,
} from './support/addresses.js';
import { codeOf } from './support/http.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const NEW_PASSWORD = 'another good passphrase';
const INVALID = {
  msg: 'This link is invalid or has expired; ask for a new one',
  code: 'link_invalid',
};
const ACCEPTED = { msg: 'If there is such an account, a mail is on its way' };

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe('verifying an address', () => {
  it('is done once by the link that registration mails', async () => {
    const { email, jwt } = await newUser(server);
    expect(await me(server, jwt)).toMatchObject({ email, emailVerified: false });
    const mail = await mailAbout(server, email, VERIFY);
    expect(mail.link).toMatch(/^http:\/\/localhost:\d+\/account\/verify-email\?token=[\w-]{43}$/);
    const { token } = mail;
    expect(await codeOf(server.post('/email/verify', { token }))).toBe(204);
    expect(await me(server, jwt)).toMatchObject({ email, emailVerified: true });
    const again = await server.post('/email/verify', { token });
    expect([again.status, again.body]).toEqual([400, INVALID]);
  });

  it('is done by the code and the name, in any writing, and by no other code', async () => {
    const { email, username, jwt } = await newUser(server);
    const { code = '' } = await mailAbout(server, email, VERIFY);
    const wrong = ((Number(code) + 1) % 100_000_000).toString().padStart(8, '0');
    expect(await codeOf(server.post('/email/verify', { username, code: wrong }))).toBe(
      'code_invalid',
    );
    expect(await codeOf(server.post('/email/verify', { username: 'nobody', code }))).toBe(
      'code_invalid',
    );
    expect(await codeOf(server.post('/email/verify', { code }))).toBe('missing_parameter');
    const typed = `${code.slice(0, 4)} ${code.slice(4)}`;
    expect(await codeOf(server.post('/email/verify', { username: email, code: typed }))).toBe(204);
    expect(await me(server, jwt)).toMatchObject({ emailVerified: true });
  });

  it('can be asked for again; the newer link ends the older', async () => {
    const { email, jwt } = await newUser(server);
    const first = await tokenOf(server, email, VERIFY);
    const ask = () =>
      server.http.post('/me/email/verification').set('authorization', `Bearer ${jwt}`);
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([
      202,
      { msg: 'If the address is not verified yet, a mail to it is on its way' },
    ]);
    expect(await codeOf(server.post('/email/verify', { token: first }))).toBe('link_invalid');
    let second = first;
    while (second === first) second = await tokenOf(server, email, VERIFY);
    expect(await codeOf(server.post('/email/verify', { token: second }))).toBe(204);
    // And where nobody is signed in, for whatever address alike.
    for (const asked of [email, 'nobody@example.org']) {
      const open = await server.post('/email/verification', { email: asked });
      expect([open.status, open.body]).toEqual([202, ACCEPTED]);
    }
    const none = await server.register('bare');
    const { jwt: bare } = await server.login(none.username);
    const refused = server.http
      .post('/me/email/verification')
      .set('authorization', `Bearer ${bare}`);
    expect(await codeOf(refused)).toBe('email_missing');
  });

  it.each([{}, { token: '' }, { token: 7 }, { token: '\0' }, { token: 'x'.repeat(5000) }])(
    'refuses %j',
    async (body) => {
      expect((await server.post('/email/verify', body)).status).toBe(400);
    },
  );
});

describe('a forgotten password', () => {
  it('is replaced by a mailed link: one use, all sessions end, a notice follows', async () => {
    const user = await newUser(server);
    const answer = await server.post('/password/forgot', { email: user.email });
    expect([answer.status, answer.body]).toEqual([202, ACCEPTED]);
    const mail = await mailAbout(server, user.email, RESET);
    expect(mail.text).toContain('30 minutes');
    const { token } = mail;
    // A refused password costs nothing.
    expect(await codeOf(server.post('/password/reset', { token, password: user.username }))).toBe(
      'weak_password',
    );
    expect(await codeOf(server.post('/password/reset', { token }))).toBe('missing_parameter');
    const tries = await Promise.all(
      ['one good passphrase', 'two good passphrases', NEW_PASSWORD].map((password) =>
        codeOf(server.post('/password/reset', { token, password })),
      ),
    );
    expect([...tries].sort()).toEqual([204, 'link_invalid', 'link_invalid']);
    const password = ['one good passphrase', 'two good passphrases', NEW_PASSWORD][
      tries.indexOf(204)
    ];
    expect((await server.get('/me', `Bearer ${user.jwt}`)).status).toBe(401);
    expect(await codeOf(server.post('/refresh', { refresh_token: user.refresh_token }))).toBe(
      'session_ended',
    );
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    const { jwt } = await server.login(user.email, password);
    expect(await me(server, jwt)).toMatchObject({ emailVerified: true });
    await mailAbout(server, user.email, 'Your password was changed');
  });

  it('is replaced by the code; the newer mail ends the older link', async () => {
    const user = await newUser(server);
    await server.post('/password/forgot', { email: user.email });
    const first = await mailAbout(server, user.email, RESET);
    await server.post('/password/forgot', { email: user.email.toUpperCase() });
    let second = first;
    while (second.token === first.token) second = await mailAbout(server, user.email, RESET);
    const password = NEW_PASSWORD;
    expect(await codeOf(server.post('/password/reset', { token: first.token, password }))).toBe(
      'link_invalid',
    );
    const { code } = second;
    expect(
      await codeOf(server.post('/password/reset', { username: user.email, code, password })),
    ).toBe(204);
    await expect(server.login(user.username, password)).resolves.toBeDefined();
  });

  it('mails the address as its owner typed it, in the language of who asked', async () => {
    // Both have one unique form here, and may be two mailboxes elsewhere.
    const user = await newUser(server, { email: 'Lukasz@example.org' });
    await server.http
      .post('/password/forgot')
      .set('accept-language', 'de-AT, en;q=0.5')
      .send({ email: 'LUKASZ@EXAMPLE.org' });
    const mail = await mailAbout(server, user.email, 'Setzen Sie ein neues Passwort');
    expect(mail.to).toBe('Lukasz@example.org');
  });

  it.each([
    [
      null,
      'Ihre E-Mail-Adresse wurde geändert',
      'Setzen Sie ein neues Passwort',
      'Ihr Passwort wurde geändert',
    ],
    ['en', CHANGED, RESET, 'Your password was changed'],
  ])(
    'is told of in the language of who asks in German, where the account’s is %s',
    async (locale, changed, reset, set) => {
      const german = (path: string) => server.http.post(path).set('accept-language', 'de');
      const user = await newUser(server);
      await verifyAddress(server, user.email);
      const own = { authorization: `Bearer ${user.jwt}` };
      await server.http.patch('/me').set(own).send({ locale }).expect(200);
      const wanted = `new-${user.email}`;
      await server.http.put('/me/email').set(own).send({ email: wanted }).expect(202);
      const confirm = await tokenOf(server, wanted, CONFIRM);
      await german('/email/confirm').send({ token: confirm }).expect(204);
      const undo = await tokenOf(server, user.email, changed);
      await german('/email/undo').send({ token: undo }).expect(204);
      const token = await tokenOf(server, user.email, reset);
      const form = { token, password: NEW_PASSWORD };
      await german('/account/reset-password').type('form').send(form).expect(200);
      await mailAbout(server, user.email, set);
    },
  );

  it('mails nobody who is unknown, disabled, or has an address that another holds', async () => {
    const user = await newUser(server);
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET disabled_at = 1 WHERE username = '${user.username}'`),
    );
    for (const email of [user.email, 'unknown@example.org', 'x@localhost.localdomain']) {
      expect(await codeOf(server.post('/password/forgot', { email }))).toBe(202);
    }
    const marker = await newUser(server);
    await server.post('/password/forgot', { email: marker.email });
    await mailAbout(server, marker.email, RESET);
    const mails = await mailsOf(server);
    expect(mails.filter(({ to, subject }) => subject === RESET && to !== marker.email)).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ to: user.email })]),
    );
    expect(mails.some(({ to }) => to === 'unknown@example.org')).toBe(false);
  });

  it('opens no account with a second factor whose address was never verified', async () => {
    // A stranger may have registered it. The stranger's passkey would outlive the new password.
    const enrol = (username: string) =>
      server.withDatabase((db) =>
        db.query(`UPDATE users SET second_factor_since = 1 WHERE username = '${username}'`),
      );
    const [before, after, marker] = [
      await newUser(server),
      await newUser(server),
      await newUser(server),
    ];
    await server.post('/password/forgot', { email: after.email });
    const { token } = await mailAbout(server, after.email, RESET);
    await enrol(before.username);
    await enrol(after.username);
    expect(await codeOf(server.post('/password/forgot', { email: before.email }))).toBe(202);
    await server.post('/password/forgot', { email: marker.email });
    await mailAbout(server, marker.email, RESET);
    const mails = await mailsOf(server);
    expect(mails.filter(({ to, subject }) => subject === RESET && to === before.email)).toEqual([]);
    const reset = server.post('/password/reset', { token, password: 'quite another sentence' });
    expect(await codeOf(reset)).toBe('link_invalid');
  });

  it.each([
    {},
    { email: '' },
    { email: 'ada' },
    { email: ['a@example.org'] },
    { email: 'a\0@b.org' },
  ])('refuses %j', async (body) => {
    expect((await server.post('/password/forgot', body)).status).toBe(400);
  });
});

describe('a link in a mail', () => {
  it('leads to PUBLIC_URL, whatever a request says of its host', async () => {
    const proxied = await startServer({
      TRUST_PROXY: '1',
      PUBLIC_URL: 'https://accounts.example.com',
    });
    try {
      const forged = (path: string, body: object) =>
        proxied.http
          .post(path)
          .set('host', 'evil.example')
          .set('x-forwarded-host', 'evil.example')
          .set('x-forwarded-proto', 'http')
          .set('forwarded', 'host=evil.example;proto=http')
          .set('origin', 'https://evil.example')
          .set('referer', 'https://evil.example/')
          .send(body);
      const email = 'ada@example.org';
      const user = { username: 'ada', password: GOOD_PASSWORD, email };
      expect((await forged('/register', user)).status).toBe(201);
      expect((await forged('/password/forgot', { email })).status).toBe(202);
      for (const subject of [VERIFY, RESET]) {
        const { link, text, html, headers } = await mailAbout(proxied, email, subject);
        expect(link).toMatch(
          /^https:\/\/accounts\.example\.com\/account\/[a-z-]+\?token=[\w-]{43}$/,
        );
        expect(`${text}${html}${JSON.stringify([...headers])}`).not.toContain('evil');
      }
    } finally {
      await proxied.stop();
    }
  });

  it('ends when its user asks for another address, be it free or taken', async () => {
    const owner = await newUser(server);
    await verifyAddress(server, owner.email);
    const results = [];
    for (const next of [owner.email, `free-${owner.email}`]) {
      const user = await newUser(server);
      const own = `own-${user.email}`;
      await changeAddress(server, user.jwt, own);
      const token = await tokenOf(server, own, CONFIRM);
      await changeAddress(server, user.jwt, next);
      results.push(await codeOf(server.post('/email/confirm', { token })));
    }
    expect(results).toEqual(['link_invalid', 'link_invalid']);
  });

  it('is no longer valid after a change of the password', async () => {
    const user = await newUser(server);
    const wanted = `new-${user.email}`;
    await changeAddress(server, user.jwt, wanted);
    const token = await tokenOf(server, wanted, CONFIRM);
    await server.http
      .put('/me/password')
      .set('authorization', `Bearer ${user.jwt}`)
      .send({ current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD });
    expect(await codeOf(server.post('/email/confirm', { token }))).toBe('link_invalid');
  });
});

describe('REQUIRE_VERIFIED_EMAIL', () => {
  it('keeps who is not verified out, and says so only with the right password', async () => {
    const strict = await startServer({ REQUIRE_VERIFIED_EMAIL: 'on' });
    try {
      const ask = (path: string, body: object) => codeOf(strict.http.post(path).send(body));
      const none = await strict.http
        .post('/register')
        .send({ username: 'bare', password: GOOD_PASSWORD });
      expect(none.body).toEqual({ msg: 'Missing email parameter', code: 'missing_parameter' });
      await strict.register('ada', GOOD_PASSWORD, 'ada@example.org');
      const wrong = { username: 'ada', password: 'wrong' };
      const right = { username: 'ada', password: GOOD_PASSWORD };
      expect(await ask('/login', wrong)).toBe('bad_credentials');
      expect(await ask('/login', right)).toBe('email_not_verified');
      const { token } = await mailAbout(strict, 'ada@example.org', VERIFY);
      expect(await ask('/email/verify', { token })).toBe(204);
      expect(await ask('/login', right)).toBe(200);
    } finally {
      await strict.stop();
    }
  });
});
