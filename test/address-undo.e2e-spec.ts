import { readFileSync } from 'node:fs';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { codeOf } from './support/http.js';

/** A link that takes an account goes to an address that was verified, and to no other. */
const NEW_PASSWORD = 'another good passphrase';
const VERIFY = 'Confirm your e-mail address';
const CONFIRM = 'Confirm your new e-mail address';
const CHANGED = 'Your e-mail address was changed';
const UNDONE = 'The change of your e-mail address was undone';
const RESET = 'Set a new password';

let server: Server;
let names = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const post = (path: string, body: object) => server.http.post(path).send(body);
const undo = (token: string) => codeOf(post('/email/undo', { token }));
const reset = (token: string, password = NEW_PASSWORD) =>
  codeOf(post('/password/reset', { token, password }));
const me = async (jwt: string) =>
  (await server.get('/me', `Bearer ${jwt}`)).body as Record<string, unknown>;

/** The mails to `address` about `subject`, when all that were stored are sent. */
async function mailsAbout(address: string, subject: string) {
  await emptied(server);
  return (await mailsOf(server)).filter((mail) => mail.to === address && mail.subject === subject);
}
const tokenOf = async (address: string, subject: string) =>
  (await mailAbout(server, address, subject)).token ?? '';
/** The tokens of all mails to `address` about `subject`; `undefined` of a mail without a link. */
const tokensOf = async (address: string, subject: string) =>
  (await mailsAbout(address, subject)).map(({ token }) => token);

async function newUser({ verified }: { verified: boolean }) {
  const username = `user${++names}`;
  const email = `${username}@typo.example`;
  const { id } = await server.register(username, GOOD_PASSWORD, email);
  const token = await tokenOf(email, VERIFY);
  if (verified) await post('/email/verify', { token }).expect(204);
  return { id, username, email, verify: token, jwt: (await server.login(username)).jwt };
}

/** Moves the account of `jwt` to `wanted`, whose mailbox confirms it. */
async function move(jwt: string, wanted: string) {
  const change = server.http.put('/me/email').set('authorization', `Bearer ${jwt}`);
  await change.send({ email: wanted, current_password: GOOD_PASSWORD }).expect(202);
  await post('/email/confirm', { token: await tokenOf(wanted, CONFIRM) }).expect(204);
}

describe('an address that was never verified', () => {
  it('is told that the account left it, and gets no link that takes the account', async () => {
    const user = await newUser({ verified: false });
    await post('/password/forgot', { email: user.email }).expect(202);
    const early = await tokenOf(user.email, RESET);
    const right = `${user.username}@right.example`;
    await move(user.jwt, right);
    const [told, ...more] = await mailsAbout(user.email, CHANGED);
    expect(more).toEqual([]);
    expect(told?.text).toContain('cannot undo the change');
    expect(`${told?.text}${told?.html}`).not.toMatch(/token=|\d{8}|user\d/);
    // Nor is any link good that the mailbox got before.
    expect(await reset(early)).toBe('link_invalid');
    expect(await codeOf(post('/email/verify', { token: user.verify }))).toBe('link_invalid');
    await post('/password/forgot', { email: user.email }).expect(202);
    expect(await tokensOf(user.email, RESET)).toEqual([early]);
    expect(await me(user.jwt)).toMatchObject({ email: right, emailVerified: true });
    await expect(server.login(right)).resolves.toBeDefined();
  });

  it('is verified only if the account confirms it as its new one', async () => {
    const user = await newUser({ verified: false });
    await move(user.jwt, user.email);
    expect(await me(user.jwt)).toMatchObject({ email: user.email, emailVerified: true });
    expect(await mailsAbout(user.email, CHANGED)).toEqual([]);
  });

  it('gets no way back if an administrator took its verification away', async () => {
    const user = await newUser({ verified: true });
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET email_verified_at = NULL WHERE id = '${user.id}'`),
    );
    await move(user.jwt, `${user.username}@right.example`);
    expect(await tokensOf(user.email, CHANGED)).toEqual([undefined]);
  });
});

describe('a verified address that loses its account by an undo', () => {
  it('is told, and gets a way back; the older address has the last word', async () => {
    const { id, username, email, jwt } = await newUser({ verified: true });
    const right = `${username}@right.example`;
    await move(jwt, right);
    expect(await undo(await tokenOf(email, CHANGED))).toBe(204);
    const told = await mailAbout(server, right, UNDONE);
    expect(told.text).toContain(`The account ${username} at`);
    expect(told.text).toContain('7 days');
    expect(await reset(await tokenOf(email, RESET))).toBe(204);
    const stranger = await server.login(email, NEW_PASSWORD);

    // Of many at once, one brings the account back.
    const { token = '' } = told;
    const all = await Promise.all(Array.from({ length: 16 }, () => undo(token)));
    expect(all.sort()).toEqual([204, ...Array<string>(15).fill('link_invalid')]);
    expect((await server.get('/me', `Bearer ${stranger.jwt}`)).status).toBe(401);
    await expect(server.login(username, NEW_PASSWORD)).rejects.toThrow('bad_credentials');
    expect(await reset(await tokenOf(right, RESET), 'a third good passphrase')).toBe(204);
    const back = await server.login(right, 'a third good passphrase');
    expect(await me(back.jwt)).toMatchObject({ id, email: right, emailVerified: true });

    // A thief would have done the same, so the first address may answer once more, and that ends it.
    const [answer = ''] = await tokensOf(email, UNDONE);
    expect(await undo(answer)).toBe(204);
    expect(await tokensOf(right, UNDONE)).toEqual([token, undefined]);
    expect(await undo(token)).toBe('link_invalid');
    const resets = await tokensOf(email, RESET);
    expect(await reset(resets.at(-1) ?? '')).toBe(204);
    const { jwt: last } = await server.login(email, NEW_PASSWORD);
    expect(await me(last)).toMatchObject({ id, email, emailVerified: true });
  });

  it('never keeps the owner out, however often a thief moves the account and takes it back', async () => {
    const { username, email, jwt } = await newUser({ verified: true });
    const at = (name: string) => `${name}-${username}@thief.example`;
    await move(jwt, at('a'));
    await move(jwt, at('b'));
    expect(await undo(await tokenOf(email, CHANGED))).toBe(204);
    // The thief reads both mailboxes, answers at once, and moves on.
    expect(await undo(await tokenOf(at('a'), CHANGED))).toBe('link_invalid');
    expect(await undo(await tokenOf(at('b'), UNDONE))).toBe(204);
    expect(await reset(await tokenOf(at('b'), RESET), GOOD_PASSWORD)).toBe(204);
    await move((await server.login(username)).jwt, at('c'));
    expect(await undo(await tokenOf(email, UNDONE))).toBe(204);
    const resets = await tokensOf(email, RESET);
    expect(await reset(resets.at(-1) ?? '')).toBe(204);
    // No link that the thief ever got is good.
    await emptied(server);
    const stolen = (await mailsOf(server)).filter(({ to }) => to.includes(`-${username}@thief`));
    for (const { token } of stolen) {
      if (token === undefined) continue;
      for (const path of ['/email/undo', '/email/confirm', '/email/verify', '/password/reset']) {
        expect(await codeOf(post(path, { token, password: GOOD_PASSWORD }))).toBe('link_invalid');
      }
    }
    const { jwt: own } = await server.login(email, NEW_PASSWORD);
    expect(await me(own)).toMatchObject({ email, emailVerified: true });
  });

  it('leaves an audit that shows, by the query of the docs, whose account a stranger took', async () => {
    const [, query = ''] =
      /```sql\n([^`]*undone[^`]*)```/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
    const fine = await newUser({ verified: true });
    const taken = await newUser({ verified: true });
    for (const { jwt, username, email } of [fine, taken]) {
      await move(jwt, `${username}@right.example`);
      expect(await undo(await tokenOf(email, CHANGED))).toBe(204);
    }
    const rows = await server.withDatabase(async (db) => {
      // An earlier version let an unverified address undo the change.
      await db.query(
        `DELETE FROM audit_events WHERE action = 'email_verified' AND subject_id = '${taken.id}'`,
      );
      return db.query<{ subject_id: string }[]>(query);
    });
    const found = rows.map((row) => row.subject_id);
    expect([found.includes(taken.id), found.includes(fine.id)]).toEqual([true, false]);
  });
});
