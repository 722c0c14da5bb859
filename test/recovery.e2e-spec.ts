import { mailAbout, mailsOf } from './support/mailbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { codeOf } from './support/http.js';

const NEW_PASSWORD = 'another good passphrase';
const VERIFY = 'Confirm your e-mail address';
const CONFIRM = 'Confirm your new e-mail address';
const CHANGED = 'Your e-mail address was changed';
const EXISTS = 'You already have an account';
const RESET = 'Set a new password';
const INVALID = {
  msg: 'This link is invalid or has expired; ask for a new one',
  code: 'link_invalid',
};
const ACCEPTED = { msg: 'If there is such an account, a mail is on its way' };

let server: Server;
let names = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const post = (path: string, body: object) => server.http.post(path).send(body);
const me = async (jwt: string) =>
  (await server.get('/me', `Bearer ${jwt}`)).body as Record<string, unknown>;

/** A registered and signed-in user with an address of their own. */
async function newUser(email = `user${++names}@example.org`, username = `user${++names}`) {
  const { id } = await server.register(username, GOOD_PASSWORD, email);
  return { id, username, email, ...(await server.login(username)) };
}
const tokenOf = async (email: string, subject: string) =>
  (await mailAbout(server, email, subject)).token ?? '';

describe('verifying an address', () => {
  it('is done once by the link that registration mails', async () => {
    const { email, jwt } = await newUser();
    expect(await me(jwt)).toMatchObject({ email, emailVerified: false });
    const mail = await mailAbout(server, email, VERIFY);
    expect(mail.link).toMatch(/^http:\/\/localhost:\d+\/account\/verify-email\?token=[\w-]{43}$/);
    const { token } = mail;
    expect(await codeOf(post('/email/verify', { token }))).toBe(204);
    expect(await me(jwt)).toMatchObject({ email, emailVerified: true });
    const again = await post('/email/verify', { token });
    expect([again.status, again.body]).toEqual([400, INVALID]);
  });

  it('is done by the code and the name, in any writing, and by no other code', async () => {
    const { email, username, jwt } = await newUser();
    const { code = '' } = await mailAbout(server, email, VERIFY);
    const wrong = ((Number(code) + 1) % 100_000_000).toString().padStart(8, '0');
    expect(await codeOf(post('/email/verify', { username, code: wrong }))).toBe('code_invalid');
    expect(await codeOf(post('/email/verify', { username: 'nobody', code }))).toBe('code_invalid');
    expect(await codeOf(post('/email/verify', { code }))).toBe('missing_parameter');
    const typed = `${code.slice(0, 4)} ${code.slice(4)}`;
    expect(await codeOf(post('/email/verify', { username: email, code: typed }))).toBe(204);
    expect(await me(jwt)).toMatchObject({ emailVerified: true });
  });

  it('can be asked for again; the newer link ends the older', async () => {
    const { email, jwt } = await newUser();
    const first = await tokenOf(email, VERIFY);
    const ask = () =>
      server.http.post('/me/email/verification').set('authorization', `Bearer ${jwt}`);
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([
      202,
      { msg: 'If the address is not verified yet, a mail to it is on its way' },
    ]);
    expect(await codeOf(post('/email/verify', { token: first }))).toBe('link_invalid');
    let second = first;
    while (second === first) second = await tokenOf(email, VERIFY);
    expect(await codeOf(post('/email/verify', { token: second }))).toBe(204);
    // And where nobody is signed in, for whatever address alike.
    for (const asked of [email, 'nobody@example.org']) {
      const open = await post('/email/verification', { email: asked });
      expect([open.status, open.body]).toEqual([202, ACCEPTED]);
    }
    const none = await server.register(`user${++names}`);
    const { jwt: bare } = await server.login(none.username);
    const refused = server.http
      .post('/me/email/verification')
      .set('authorization', `Bearer ${bare}`);
    expect(await codeOf(refused)).toBe('email_missing');
  });

  it.each([{}, { token: '' }, { token: 7 }, { token: '\0' }, { token: 'x'.repeat(5000) }])(
    'refuses %j',
    async (body) => {
      expect((await post('/email/verify', body)).status).toBe(400);
    },
  );
});

describe('an address that two accounts name', () => {
  it('stays with who verified it; the owner is told, the second account is not', async () => {
    const owner = await newUser();
    await post('/email/verify', { token: await tokenOf(owner.email, VERIFY) });
    const answer = await post('/register', {
      username: 'second',
      password: GOOD_PASSWORD,
      email: owner.email.toUpperCase(),
    });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        id: expect.any(String) as string,
        username: 'second',
        email: owner.email.toUpperCase(),
        roles: [],
        createdAt: expect.any(String) as string,
      },
    ]);
    const told = await mailAbout(server, owner.email, EXISTS);
    expect(`${told.text}${told.html}`).not.toMatch(/second|token=/);
    // The address still signs the owner in, and nobody else.
    await expect(server.login(owner.email)).resolves.toBeDefined();
    const { jwt } = await server.login('second');
    expect(await me(jwt)).toMatchObject({ email: owner.email.toUpperCase(), emailVerified: false });
    const mails = await mailsOf(server);
    expect(mails.filter(({ to }) => to === owner.email.toUpperCase())).toEqual([]);
  });

  it('goes to the mailbox owner where the first account never showed it to be theirs', async () => {
    const squatter = await newUser('victim@example.org', 'squatter');
    const victim = await newUser('Victim@example.org', 'victim');
    expect((await mailAbout(server, 'victim@example.org', EXISTS)).text).not.toContain('token=');
    const token = await tokenOf('Victim@example.org', VERIFY);
    expect(await codeOf(post('/email/verify', { token }))).toBe(204);
    expect(await me(victim.jwt)).toMatchObject({ emailVerified: true });
    expect(await me(squatter.jwt)).toMatchObject({ emailVerified: false });
    const { jwt } = await server.login('victim@example.org');
    expect(await me(jwt)).toMatchObject({ username: 'victim' });
    // It is on record, and does not show the squatter from where the victim came.
    const own = await server.get('/me/export', `Bearer ${squatter.jwt}`).expect(200);
    const lost = (own.body as { events: { action: string }[] }).events.at(-1);
    expect(lost).toEqual({
      createdAt: expect.any(String) as string,
      action: 'email_lost',
      ofThisUser: true,
      source: 'request',
      details: {},
    });
    // The squatter's own link, were it ever followed, comes too late.
    const late = await tokenOf('victim@example.org', VERIFY);
    expect(await codeOf(post('/email/verify', { token: late }))).toBe('link_invalid');
  });
});

describe('changing the address', () => {
  const change = (jwt: string, body: object) =>
    server.http.put('/me/email').set('authorization', `Bearer ${jwt}`).send(body);

  /** Moves an account to `wanted` by the link that is mailed there. */
  async function move(jwt: string, wanted: string) {
    expect(await codeOf(change(jwt, { email: wanted, current_password: GOOD_PASSWORD }))).toBe(202);
    expect(await codeOf(post('/email/confirm', { token: await tokenOf(wanted, CONFIRM) }))).toBe(
      204,
    );
  }

  /** An account that a thief moved twice, with every link that either got: to undo, and the thief's. */
  async function takenOver() {
    const owner = await newUser();
    await post('/email/verify', { token: await tokenOf(owner.email, VERIFY) });
    const { jwt } = await server.login(owner.username);
    const at = (name: string) => `${name}-${owner.email}`;
    const [thief, next, last] = [at('thief'), at('next'), at('last')];
    await move(jwt, thief);
    const first = await tokenOf(owner.email, CHANGED);
    await move(jwt, next);
    const second = await tokenOf(thief, CHANGED);
    await change(jwt, { email: last, current_password: GOOD_PASSWORD });
    await post('/password/forgot', { email: next });
    const pending = { change: await tokenOf(last, CONFIRM), reset: await tokenOf(next, RESET) };
    return { owner, thief, first, second, pending };
  }

  it('waits for the new one to confirm, and the old one can undo it for a week', async () => {
    const user = await newUser();
    await post('/email/verify', { token: await tokenOf(user.email, VERIFY) });
    const thief = await server.login(user.username);
    const wanted = `new-${user.email}`;
    expect(await codeOf(change(thief.jwt, { email: wanted, current_password: 'wrong' }))).toBe(
      'wrong_password',
    );
    const answer = await change(thief.jwt, { email: wanted, current_password: GOOD_PASSWORD });
    expect([answer.status, answer.body]).toEqual([
      202,
      { msg: 'A mail to the new address is on its way; confirm it there' },
    ]);
    expect(await me(user.jwt)).toMatchObject({ email: user.email, emailVerified: true });
    const token = await tokenOf(wanted, CONFIRM);
    const all = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(post('/email/confirm', { token }))),
    );
    expect(all.sort()).toEqual([204, ...Array<string>(7).fill('link_invalid')]);
    expect(await me(user.jwt)).toMatchObject({ email: wanted, emailVerified: true });
    await expect(server.login(user.email)).rejects.toThrow('bad_credentials');

    const undo = await mailAbout(server, user.email, CHANGED);
    expect(undo.text).toContain('7 days');
    expect(await codeOf(post('/email/undo', { token: undo.token }))).toBe(204);
    expect((await server.get('/me', `Bearer ${thief.jwt}`)).status).toBe(401);
    expect(await codeOf(post('/refresh', { refresh_token: thief.refresh_token }))).toBe(
      'session_ended',
    );
    // Whoever changed the address knew the password: it is nobody's any more, and a mail brings a new one.
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    await expect(server.login(user.email)).rejects.toThrow('bad_credentials');
    const reset = await mailAbout(server, user.email, RESET);
    const body = { username: user.email, code: reset.code, password: NEW_PASSWORD };
    expect(await codeOf(post('/password/reset', body))).toBe(204);
    const { jwt } = await server.login(user.email, NEW_PASSWORD);
    expect(await me(jwt)).toMatchObject({ email: user.email, emailVerified: true });
    expect(await codeOf(post('/email/undo', { token: undo.token }))).toBe('link_invalid');
    const rows = await server.withDatabase((db) =>
      db.query<{ action: string; details: string }[]>(
        `SELECT action, details FROM audit_events WHERE subject_id = '${user.id}' ` +
          `AND details LIKE '%undone%' ORDER BY action`,
      ),
    );
    expect(rows.map(({ action }) => action)).toEqual(['email_changed', 'password_changed']);
  });

  it('is undone for good: no newer link of a thief takes the account again', async () => {
    const { owner, thief, first, second, pending } = await takenOver();
    expect(await codeOf(post('/email/undo', { token: first }))).toBe(204);
    const { token = '' } = await mailAbout(server, owner.email, RESET);
    for (const [path, link] of [
      ['/email/undo', second],
      ['/email/confirm', pending.change],
      ['/password/reset', pending.reset],
    ] as const) {
      const body = { token: link, password: NEW_PASSWORD };
      expect([path, await codeOf(post(path, body))]).toEqual([path, 'link_invalid']);
    }
    expect(await codeOf(post('/password/reset', { token, password: NEW_PASSWORD }))).toBe(204);
    const { jwt } = await server.login(owner.email, NEW_PASSWORD);
    expect(await me(jwt)).toMatchObject({ email: owner.email, emailVerified: true });
    expect(await codeOf(post('/email/undo', { token: second }))).toBe('link_invalid');
    await expect(server.login(thief, NEW_PASSWORD)).rejects.toThrow('bad_credentials');
  });

  it('is undone by the oldest link, though a thief used a newer one', async () => {
    const { owner, thief, first, second } = await takenOver();
    expect(await codeOf(post('/email/undo', { token: second }))).toBe(204);
    const stolen = await tokenOf(thief, RESET);
    const body = { token: stolen, password: NEW_PASSWORD };
    expect(await codeOf(post('/password/reset', body))).toBe(204);
    await expect(server.login(thief, NEW_PASSWORD)).resolves.toBeDefined();
    expect(await codeOf(post('/email/undo', { token: first }))).toBe(204);
    const token = await tokenOf(owner.email, RESET);
    expect(await codeOf(post('/password/reset', { token, password: GOOD_PASSWORD }))).toBe(204);
    const { jwt } = await server.login(owner.email);
    expect(await me(jwt)).toMatchObject({ email: owner.email });
  });

  it('is undone for good where the links were made by clocks that are apart', async () => {
    const user = await newUser();
    await post('/email/verify', { token: await tokenOf(user.email, VERIFY) });
    const wanted = `new-${user.email}`;
    await move(user.jwt, wanted);
    const first = await tokenOf(user.email, CHANGED);
    // The instance that made the first link was an hour ahead.
    await server.withDatabase((db) =>
      db.query(
        `UPDATE one_time_tokens SET created_at = created_at + 3600000 ` +
          `WHERE purpose = 'undo-email-change' AND user_id = '${user.id}'`,
      ),
    );
    await move(user.jwt, `newer-${user.email}`);
    const second = await tokenOf(wanted, CHANGED);
    expect(await codeOf(post('/email/undo', { token: first }))).toBe(204);
    expect(await codeOf(post('/email/undo', { token: second }))).toBe('link_invalid');
  });

  it('tells nobody that the new one is taken, and gives it to nobody', async () => {
    const owner = await newUser();
    await post('/email/verify', { token: await tokenOf(owner.email, VERIFY) });
    const other = await newUser();
    const body = { email: owner.email, current_password: GOOD_PASSWORD };
    expect(await codeOf(change(other.jwt, body))).toBe(202);
    await mailAbout(server, owner.email, EXISTS);
    const mails = await mailsOf(server);
    expect(mails.filter(({ subject, to }) => subject === CONFIRM && to === owner.email)).toEqual(
      [],
    );
  });

  it('ends the older link by asking for another address, be it free or taken', async () => {
    const owner = await newUser();
    await post('/email/verify', { token: await tokenOf(owner.email, VERIFY) });
    const results = [];
    for (const next of [owner.email, `free-${owner.email}`]) {
      const user = await newUser();
      const own = `own-${user.email}`;
      await change(user.jwt, { email: own, current_password: GOOD_PASSWORD });
      const token = await tokenOf(own, CONFIRM);
      await change(user.jwt, { email: next, current_password: GOOD_PASSWORD });
      results.push(await codeOf(post('/email/confirm', { token })));
    }
    expect(results).toEqual(['link_invalid', 'link_invalid']);
  });

  it('goes to one of two who take each other’s unverified address at the same moment', async () => {
    const pairs = Array.from({ length: 6 }, async () => {
      const [one, other] = [await newUser(), await newUser()];
      await change(one.jwt, { email: other.email, current_password: GOOD_PASSWORD });
      await change(other.jwt, { email: one.email, current_password: GOOD_PASSWORD });
      const tokens = [await tokenOf(other.email, CONFIRM), await tokenOf(one.email, CONFIRM)];
      const both = tokens.map((token) => codeOf(post('/email/confirm', { token })));
      return (await Promise.all(both)).sort();
    });
    expect(await Promise.all(pairs)).toEqual(pairs.map(() => [204, 'link_invalid']));
  });

  it('refuses a link that was asked for before the password changed', async () => {
    const user = await newUser();
    const wanted = `new-${user.email}`;
    await change(user.jwt, { email: wanted, current_password: GOOD_PASSWORD });
    const token = await tokenOf(wanted, CONFIRM);
    await server.http
      .put('/me/password')
      .set('authorization', `Bearer ${user.jwt}`)
      .send({ current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD });
    expect(await codeOf(post('/email/confirm', { token }))).toBe('link_invalid');
  });
});

describe('a forgotten password', () => {
  it('is replaced by a mailed link: one use, all sessions end, a notice follows', async () => {
    const user = await newUser();
    const answer = await post('/password/forgot', { email: user.email });
    expect([answer.status, answer.body]).toEqual([202, ACCEPTED]);
    const mail = await mailAbout(server, user.email, RESET);
    expect(mail.text).toContain('30 minutes');
    const { token } = mail;
    // A refused password costs nothing.
    expect(await codeOf(post('/password/reset', { token, password: user.username }))).toBe(
      'weak_password',
    );
    expect(await codeOf(post('/password/reset', { token }))).toBe('missing_parameter');
    const tries = await Promise.all(
      ['one good passphrase', 'two good passphrases', NEW_PASSWORD].map((password) =>
        codeOf(post('/password/reset', { token, password })),
      ),
    );
    expect([...tries].sort()).toEqual([204, 'link_invalid', 'link_invalid']);
    const password = ['one good passphrase', 'two good passphrases', NEW_PASSWORD][
      tries.indexOf(204)
    ];
    expect((await server.get('/me', `Bearer ${user.jwt}`)).status).toBe(401);
    expect(await codeOf(post('/refresh', { refresh_token: user.refresh_token }))).toBe(
      'session_ended',
    );
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    const { jwt } = await server.login(user.email, password);
    expect(await me(jwt)).toMatchObject({ emailVerified: true });
    await mailAbout(server, user.email, 'Your password was changed');
  });

  it('is replaced by the code; the newer mail ends the older link', async () => {
    const user = await newUser();
    await post('/password/forgot', { email: user.email });
    const first = await mailAbout(server, user.email, RESET);
    await post('/password/forgot', { email: user.email.toUpperCase() });
    let second = first;
    while (second.token === first.token) second = await mailAbout(server, user.email, RESET);
    const password = NEW_PASSWORD;
    expect(await codeOf(post('/password/reset', { token: first.token, password }))).toBe(
      'link_invalid',
    );
    const { code } = second;
    expect(await codeOf(post('/password/reset', { username: user.email, code, password }))).toBe(
      204,
    );
    await expect(server.login(user.username, password)).resolves.toBeDefined();
  });

  it('mails the address as its owner typed it, in the language of who asked', async () => {
    // Both have one unique form here, and may be two mailboxes elsewhere.
    const user = await newUser('Lukasz@example.org');
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
      const user = await newUser();
      await post('/email/verify', { token: await tokenOf(user.email, VERIFY) });
      const own = { authorization: `Bearer ${user.jwt}` };
      await server.http.patch('/me').set(own).send({ locale }).expect(200);
      const wanted = `new-${user.email}`;
      await server.http.put('/me/email').set(own).send({ email: wanted }).expect(202);
      const confirm = await tokenOf(wanted, CONFIRM);
      await german('/email/confirm').send({ token: confirm }).expect(204);
      const undo = await tokenOf(user.email, changed);
      await german('/email/undo').send({ token: undo }).expect(204);
      const token = await tokenOf(user.email, reset);
      const form = { token, password: NEW_PASSWORD };
      await german('/account/reset-password').type('form').send(form).expect(200);
      await mailAbout(server, user.email, set);
    },
  );

  it('mails nobody who is unknown, disabled, or has an address that another holds', async () => {
    const user = await newUser();
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET disabled_at = 1 WHERE username = '${user.username}'`),
    );
    for (const email of [user.email, 'unknown@example.org', 'x@localhost.localdomain']) {
      expect(await codeOf(post('/password/forgot', { email }))).toBe(202);
    }
    const marker = await newUser();
    await post('/password/forgot', { email: marker.email });
    await mailAbout(server, marker.email, RESET);
    const mails = await mailsOf(server);
    expect(mails.filter(({ to, subject }) => subject === RESET && to !== marker.email)).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ to: user.email })]),
    );
    expect(mails.some(({ to }) => to === 'unknown@example.org')).toBe(false);
  });

  it.each([
    {},
    { email: '' },
    { email: 'ada' },
    { email: ['a@example.org'] },
    { email: 'a\0@b.org' },
  ])('refuses %j', async (body) => {
    expect((await post('/password/forgot', body)).status).toBe(400);
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
