import { CHANGED, CONFIRM, VERIFY } from './support/addresses.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

/**
 * Anybody may register with the address of a stranger. The stranger has to get few mails for it, and none with words
 * that the other one has chosen.
 */
const STRANGER = 'stranger@example.org';
const LURE = 'https://evil.example/x';
const UPDATED = 'Your account was changed';
const PASSWORD = 'Your password was changed';

let server: Server;
beforeEach(async () => {
  server = await startServer({ RATE_LIMITS: 'on' });
});
afterEach(() => server.stop());

const rename = async (jwt: string, displayName: string) =>
  (await server.ask('patch', '/me', jwt).send({ displayName })).status;

async function newUser(username: string, email: string, { verified = false } = {}) {
  await server.register(username, GOOD_PASSWORD, email);
  const { token } = await mailAbout(server, email, VERIFY);
  if (verified) await server.http.post('/email/verify').send({ token }).expect(204);
  return (await server.login(username)).jwt;
}

/** The mails to `address` that are no links to verify it by, when all that were stored are sent. */
async function noticesTo(address: string, from = server) {
  await emptied(from);
  return (await mailsOf(from)).filter(({ to, subject }) => to === address && subject !== VERIFY);
}

describe('notices to an address that nobody has verified', () => {
  it('are three of a kind an hour over all accounts that gave it, and what they tell of goes on', async () => {
    const jwt = await newUser('eve', STRANGER);
    for (let i = 0; i < 5; i++) expect(await rename(jwt, `name ${i}`)).toBe(200);
    const change = server.ask('put', '/me/password', jwt);
    expect((await change.send({ new_password: 'another good passphrase' })).status).toBe(204);
    // A deletion deletes the mails that wait.
    await emptied(server);
    expect((await server.ask('delete', '/me', jwt)).status).toBe(204);
    const next = await newUser('mallory', STRANGER);
    expect(await rename(next, 'name')).toBe(200);
    const told = await noticesTo(STRANGER);
    // The first kind has not used up the others.
    expect(told.map(({ subject }) => subject).sort()).toEqual([
      UPDATED,
      UPDATED,
      UPDATED,
      'Your account was deleted',
      PASSWORD,
    ]);
  });

  it('say nothing that the one who gave it chose', async () => {
    const jwt = await newUser(LURE, STRANGER);
    expect(await rename(jwt, LURE)).toBe(200);
    const change = server.ask('put', '/me/password', jwt);
    expect((await change.send({ new_password: 'another good passphrase' })).status).toBe(204);
    // A deletion deletes the mails that wait.
    await emptied(server);
    expect((await server.ask('delete', '/me', jwt)).status).toBe(204);
    const told = await noticesTo(STRANGER);
    expect(told.map(({ subject }) => subject).sort()).toEqual([
      UPDATED,
      'Your account was deleted',
      PASSWORD,
    ]);
    for (const { text, html } of told) {
      expect(text).toMatch(/account with this address at/);
      expect(`${text}${html}`).not.toMatch(/evil|undefined/);
    }
  });

  it('nor does the one that the account has moved away', async () => {
    const jwt = await newUser(LURE, STRANGER);
    const body = { email: 'own@example.org' };
    expect((await server.ask('put', '/me/email', jwt).send(body)).status).toBe(202);
    const { token } = await mailAbout(server, body.email, CONFIRM);
    await server.http.post('/email/confirm').send({ token }).expect(204);
    const [told] = await noticesTo(STRANGER);
    expect(told?.subject).toBe(CHANGED);
    expect(`${told?.text}${told?.html}`).not.toMatch(/evil|undefined/);
  });

  it('are as many as there are changes where no limits hold', async () => {
    const unlimited = await startServer();
    try {
      await unlimited.register('eve', GOOD_PASSWORD, STRANGER);
      const { jwt } = await unlimited.login('eve');
      for (let i = 0; i < 5; i++) {
        const change = unlimited.http.patch('/me').set('authorization', `Bearer ${jwt}`);
        await change.send({ displayName: `name ${i}` }).expect(200);
      }
      expect(await noticesTo(STRANGER, unlimited)).toHaveLength(5);
    } finally {
      await unlimited.stop();
    }
  });
});

describe('notices to a verified address', () => {
  it('are never left out: no one can hide a change of the password behind others', async () => {
    const jwt = await newUser('ada', 'ada@example.org', { verified: true });
    for (let i = 0; i < 5; i++) expect(await rename(jwt, `name ${i}`)).toBe(200);
    const change = server.ask('put', '/me/password', jwt);
    expect((await change.send({ new_password: 'another good passphrase' })).status).toBe(204);
    const told = await noticesTo('ada@example.org');
    expect(told.map(({ subject }) => subject).sort()).toEqual([
      ...Array<string>(5).fill(UPDATED),
      PASSWORD,
    ]);
    for (const { text } of told) expect(text).toContain('account ada at');
  });
});

describe('changes of an account', () => {
  it.each([
    ['patch', '/me', 30],
    ['put', '/me/password', 30],
  ] as const)('%s %s may be asked for so often in an hour', async (method, path, most) => {
    await server.register('ada');
    await server.register('grace');
    const { jwt } = await server.login('ada');
    for (let i = 0; i < most; i++)
      expect((await server.ask(method, path, jwt).send({})).status).toBe(400);
    const refused = await server.ask(method, path, jwt).send({});
    expect([refused.status, (refused.body as { code: string }).code]).toEqual([
      429,
      'too_many_requests',
    ]);
    const other = await server.login('grace');
    expect((await server.ask(method, path, other.jwt).send({})).status).toBe(400);
  });
});

describe('PUT /me/email', () => {
  const move = async (jwt: string, email: string, more: object = {}) => {
    const answer = await server.ask('put', '/me/email', jwt).send({ email, ...more });
    return answer.status === 202 ? 202 : (answer.body as { code: string }).code;
  };

  it('mails ten addresses an hour for one user, not an eleventh', async () => {
    await server.register('eve');
    const { jwt } = await server.login('eve');
    for (let i = 0; i < 10; i++) expect(await move(jwt, `s${i}@example.org`)).toBe(202);
    expect(await move(jwt, STRANGER)).toBe('too_many_requests');
    expect(await noticesTo(STRANGER)).toEqual([]);
    await server.register('grace');
    expect(await move((await server.login('grace')).jwt, STRANGER)).toBe(202);
  });

  it('takes nothing of what the new address may get where the step up is refused', async () => {
    await server.register('eve');
    const { jwt } = await server.login('eve');
    const stale = forge(jwt, { auth_time: now() - 901 });
    for (let i = 0; i < 3; i++) {
      expect(await move(stale, STRANGER)).toBe('reauthentication_required');
    }
    const wrong = { current_password: 'not the password' };
    expect(await move(stale, STRANGER, wrong)).toBe('wrong_password');
    for (let i = 0; i < 3; i++) expect(await move(jwt, STRANGER)).toBe(202);
    expect(await move(jwt, STRANGER)).toBe('too_many_requests');
    const told = await noticesTo(STRANGER);
    expect(told.map(({ subject }) => subject)).toEqual([CONFIRM, CONFIRM, CONFIRM]);
  });
});

describe('all addresses of one mailbox', () => {
  const aliases = (count: number, at = 'example.org') =>
    Array.from({ length: count }, (_, i) => `victim${'+'.repeat(Math.min(i, 1))}${i || ''}@${at}`);
  const dotted = [
    'v.ictim@gmail.com',
    'victim@googlemail.com',
    'vi.ctim+1@gmail.com',
    'V.I.C.tim@gmail.com',
  ];

  it.each([
    ['/password/forgot', aliases(4)],
    ['/email/verification', aliases(4, 'bücher.example')],
    ['/password/forgot', dotted],
  ])('get three mails an hour by %s, whatever is asked for: %j', async (path, addresses) => {
    const answers = [];
    for (const email of addresses)
      answers.push((await server.http.post(path).send({ email })).status);
    expect(answers).toEqual([202, 202, 202, 429]);
  });

  it('get three mails of registrations an hour', async () => {
    const addresses = aliases(6);
    for (const [i, email] of addresses.entries())
      await server.register(`eve${i}`, GOOD_PASSWORD, email);
    await emptied(server);
    expect((await mailsOf(server)).map(({ to }) => to)).toEqual(addresses.slice(0, 3));
  });

  it('get three notices of a kind an hour while they are not verified', async () => {
    for (const [i, email] of aliases(5).entries()) {
      await server.register(`eve${i}`, GOOD_PASSWORD, email);
      expect(await rename((await server.login(`eve${i}`)).jwt, 'name')).toBe(200);
    }
    await emptied(server);
    const told = (await mailsOf(server)).filter(({ subject }) => subject === UPDATED);
    expect(told).toHaveLength(3);
  });

  it('get three mails an hour by changes of address, from all accounts together', async () => {
    const answers = [];
    for (const [i, email] of aliases(4).entries()) {
      await server.register(`eve${i}`);
      const { jwt } = await server.login(`eve${i}`);
      answers.push((await server.ask('put', '/me/email', jwt).send({ email })).status);
    }
    expect(answers).toEqual([202, 202, 202, 429]);
  });
});
