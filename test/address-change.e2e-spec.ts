import { readFileSync } from 'node:fs';
import {
  CHANGED,
  changeAddress,
  CONFIRM,
  EXISTS,
  me,
  move,
  newUser,
  RESET,
  tokenOf,
  UNDONE,
  VERIFY,
  verifyAddress,
} from './support/addresses.js';
import { codeOf } from './support/http.js';
import { mailAbout, mailsOf } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const NEW_PASSWORD = 'another good passphrase';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const undo = (token: string) => codeOf(server.post('/email/undo', { token }));
const reset = (token: string, password = NEW_PASSWORD) =>
  codeOf(server.post('/password/reset', { token, password }));

/** The mails to `address` about `subject`, when all that were stored are sent. */
async function mailsAbout(address: string, subject: string) {
  await emptied(server);
  return (await mailsOf(server)).filter((mail) => mail.to === address && mail.subject === subject);
}
/** The tokens of all mails to `address` about `subject`; `undefined` of a mail without a link. */
const tokensOf = async (address: string, subject: string) =>
  (await mailsAbout(address, subject)).map(({ token }) => token);

/** A user of one domain, who verifies the address or does not. */
async function registered({ verified }: { verified: boolean }) {
  const user = await newUser(server);
  if (verified) await verifyAddress(server, user.email);
  return user;
}

describe('changing the address', () => {
  /** An account that a thief moved twice, with every link that either got: to undo, and the thief's. */
  async function takenOver() {
    const owner = await newUser(server);
    await verifyAddress(server, owner.email);
    const { jwt } = await server.login(owner.username);
    const at = (name: string) => `${name}-${owner.email}`;
    const [thief, next, last] = [at('thief'), at('next'), at('last')];
    await move(server, jwt, thief);
    const first = await tokenOf(server, owner.email, CHANGED);
    await move(server, jwt, next);
    const second = await tokenOf(server, thief, CHANGED);
    await changeAddress(server, jwt, last);
    await server.post('/password/forgot', { email: next });
    const pending = {
      change: await tokenOf(server, last, CONFIRM),
      reset: await tokenOf(server, next, RESET),
    };
    return { owner, thief, first, second, pending };
  }

  it('waits for the new one to confirm, and the old one can undo it for a week', async () => {
    const user = await newUser(server);
    await verifyAddress(server, user.email);
    const thief = await server.login(user.username);
    const wanted = `new-${user.email}`;
    expect(await codeOf(changeAddress(server, thief.jwt, wanted, 'wrong'))).toBe('wrong_password');
    const answer = await changeAddress(server, thief.jwt, wanted);
    expect([answer.status, answer.body]).toEqual([
      202,
      { msg: 'A mail to the new address is on its way; confirm it there' },
    ]);
    expect(await me(server, user.jwt)).toMatchObject({ email: user.email, emailVerified: true });
    const token = await tokenOf(server, wanted, CONFIRM);
    const all = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(server.post('/email/confirm', { token }))),
    );
    expect(all.sort()).toEqual([204, ...Array<string>(7).fill('link_invalid')]);
    expect(await me(server, user.jwt)).toMatchObject({ email: wanted, emailVerified: true });
    await expect(server.login(user.email)).rejects.toThrow('bad_credentials');

    const undo = await mailAbout(server, user.email, CHANGED);
    expect(undo.text).toContain('7 days');
    expect(await codeOf(server.post('/email/undo', { token: undo.token }))).toBe(204);
    expect((await server.get('/me', `Bearer ${thief.jwt}`)).status).toBe(401);
    expect(await codeOf(server.post('/refresh', { refresh_token: thief.refresh_token }))).toBe(
      'session_ended',
    );
    // The thief knew the password. So it is no longer valid, and a mail brings a new one.
    await expect(server.login(user.username)).rejects.toThrow('bad_credentials');
    await expect(server.login(user.email)).rejects.toThrow('bad_credentials');
    const reset = await mailAbout(server, user.email, RESET);
    const body = { username: user.email, code: reset.code, password: NEW_PASSWORD };
    expect(await codeOf(server.post('/password/reset', body))).toBe(204);
    const { jwt } = await server.login(user.email, NEW_PASSWORD);
    expect(await me(server, jwt)).toMatchObject({ email: user.email, emailVerified: true });
    expect(await codeOf(server.post('/email/undo', { token: undo.token }))).toBe('link_invalid');
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
    expect(await codeOf(server.post('/email/undo', { token: first }))).toBe(204);
    const { token = '' } = await mailAbout(server, owner.email, RESET);
    for (const [path, link] of [
      ['/email/undo', second],
      ['/email/confirm', pending.change],
      ['/password/reset', pending.reset],
    ] as const) {
      const body = { token: link, password: NEW_PASSWORD };
      expect([path, await codeOf(server.post(path, body))]).toEqual([path, 'link_invalid']);
    }
    expect(await codeOf(server.post('/password/reset', { token, password: NEW_PASSWORD }))).toBe(
      204,
    );
    const { jwt } = await server.login(owner.email, NEW_PASSWORD);
    expect(await me(server, jwt)).toMatchObject({ email: owner.email, emailVerified: true });
    expect(await codeOf(server.post('/email/undo', { token: second }))).toBe('link_invalid');
    await expect(server.login(thief, NEW_PASSWORD)).rejects.toThrow('bad_credentials');
  });

  it('is undone by the oldest link, though a thief used a newer one', async () => {
    const { owner, thief, first, second } = await takenOver();
    expect(await codeOf(server.post('/email/undo', { token: second }))).toBe(204);
    const stolen = await tokenOf(server, thief, RESET);
    const body = { token: stolen, password: NEW_PASSWORD };
    expect(await codeOf(server.post('/password/reset', body))).toBe(204);
    await expect(server.login(thief, NEW_PASSWORD)).resolves.toBeDefined();
    expect(await codeOf(server.post('/email/undo', { token: first }))).toBe(204);
    const token = await tokenOf(server, owner.email, RESET);
    expect(await codeOf(server.post('/password/reset', { token, password: GOOD_PASSWORD }))).toBe(
      204,
    );
    const { jwt } = await server.login(owner.email);
    expect(await me(server, jwt)).toMatchObject({ email: owner.email });
  });

  it('is undone for good where the links were made by clocks that are apart', async () => {
    const user = await newUser(server);
    await verifyAddress(server, user.email);
    const wanted = `new-${user.email}`;
    await move(server, user.jwt, wanted);
    const first = await tokenOf(server, user.email, CHANGED);
    // The instance that made the first link was an hour ahead.
    await server.withDatabase((db) =>
      db.query(
        `UPDATE one_time_tokens SET created_at = created_at + 3600000 ` +
          `WHERE purpose = 'undo-email-change' AND user_id = '${user.id}'`,
      ),
    );
    await move(server, user.jwt, `newer-${user.email}`);
    const second = await tokenOf(server, wanted, CHANGED);
    expect(await codeOf(server.post('/email/undo', { token: first }))).toBe(204);
    expect(await codeOf(server.post('/email/undo', { token: second }))).toBe('link_invalid');
  });
});

/** A link that takes an account goes to an address that was verified, and to no other. */
describe('an address that was never verified', () => {
  it('is told that the account left it, and gets no link that takes the account', async () => {
    const user = await registered({ verified: false });
    const verify = await tokenOf(server, user.email, VERIFY);
    await server.post('/password/forgot', { email: user.email }).expect(202);
    const early = await tokenOf(server, user.email, RESET);
    const right = `${user.username}@right.example`;
    await move(server, user.jwt, right);
    const [told, ...more] = await mailsAbout(user.email, CHANGED);
    expect(more).toEqual([]);
    expect(told?.text).toContain('cannot undo the change');
    expect(`${told?.text}${told?.html}`).not.toMatch(/token=|\d{8}|user\d/);
    // Nor is any link good that the mailbox got before.
    expect(await reset(early)).toBe('link_invalid');
    expect(await codeOf(server.post('/email/verify', { token: verify }))).toBe('link_invalid');
    await server.post('/password/forgot', { email: user.email }).expect(202);
    expect(await tokensOf(user.email, RESET)).toEqual([early]);
    expect(await me(server, user.jwt)).toMatchObject({ email: right, emailVerified: true });
    await expect(server.login(right)).resolves.toBeDefined();
  });

  it('is verified only if the account confirms it as its new one', async () => {
    const user = await registered({ verified: false });
    await move(server, user.jwt, user.email);
    expect(await me(server, user.jwt)).toMatchObject({ email: user.email, emailVerified: true });
    expect(await mailsAbout(user.email, CHANGED)).toEqual([]);
  });

  it('gets no way back if an administrator took its verification away', async () => {
    const user = await registered({ verified: true });
    await server.withDatabase((db) =>
      db.query(`UPDATE users SET email_verified_at = NULL WHERE id = '${user.id}'`),
    );
    await move(server, user.jwt, `${user.username}@right.example`);
    expect(await tokensOf(user.email, CHANGED)).toEqual([undefined]);
  });
});

describe('a verified address that loses its account by an undo', () => {
  it('is told, and gets a way back; the older address has the last word', async () => {
    const { id, username, email, jwt } = await registered({ verified: true });
    const right = `${username}@right.example`;
    await move(server, jwt, right);
    expect(await undo(await tokenOf(server, email, CHANGED))).toBe(204);
    const told = await mailAbout(server, right, UNDONE);
    expect(told.text).toContain(`The account ${username} at`);
    expect(told.text).toContain('7 days');
    expect(await reset(await tokenOf(server, email, RESET))).toBe(204);
    const stranger = await server.login(email, NEW_PASSWORD);

    // Of many at once, one brings the account back.
    const { token = '' } = told;
    const all = await Promise.all(Array.from({ length: 16 }, () => undo(token)));
    expect(all.sort()).toEqual([204, ...Array<string>(15).fill('link_invalid')]);
    expect((await server.get('/me', `Bearer ${stranger.jwt}`)).status).toBe(401);
    await expect(server.login(username, NEW_PASSWORD)).rejects.toThrow('bad_credentials');
    expect(await reset(await tokenOf(server, right, RESET), 'a third good passphrase')).toBe(204);
    const back = await server.login(right, 'a third good passphrase');
    expect(await me(server, back.jwt)).toMatchObject({ id, email: right, emailVerified: true });

    // A thief would have done the same, so the first address may answer once more, and that ends it.
    const [answer = ''] = await tokensOf(email, UNDONE);
    expect(await undo(answer)).toBe(204);
    expect(await tokensOf(right, UNDONE)).toEqual([token, undefined]);
    expect(await undo(token)).toBe('link_invalid');
    const resets = await tokensOf(email, RESET);
    expect(await reset(resets.at(-1) ?? '')).toBe(204);
    const { jwt: last } = await server.login(email, NEW_PASSWORD);
    expect(await me(server, last)).toMatchObject({ id, email, emailVerified: true });
  });

  it('never keeps the owner out, however often a thief moves the account and takes it back', async () => {
    const { username, email, jwt } = await registered({ verified: true });
    const at = (name: string) => `${name}-${username}@thief.example`;
    await move(server, jwt, at('a'));
    await move(server, jwt, at('b'));
    expect(await undo(await tokenOf(server, email, CHANGED))).toBe(204);
    // The thief reads both mailboxes, answers at once, and moves on.
    expect(await undo(await tokenOf(server, at('a'), CHANGED))).toBe('link_invalid');
    expect(await undo(await tokenOf(server, at('b'), UNDONE))).toBe(204);
    expect(await reset(await tokenOf(server, at('b'), RESET), GOOD_PASSWORD)).toBe(204);
    await move(server, (await server.login(username)).jwt, at('c'));
    expect(await undo(await tokenOf(server, email, UNDONE))).toBe(204);
    const resets = await tokensOf(email, RESET);
    expect(await reset(resets.at(-1) ?? '')).toBe(204);
    // No link that the thief ever got is good.
    await emptied(server);
    const stolen = (await mailsOf(server)).filter(({ to }) => to.includes(`-${username}@thief`));
    for (const { token } of stolen) {
      if (token === undefined) continue;
      for (const path of ['/email/undo', '/email/confirm', '/email/verify', '/password/reset']) {
        expect(await codeOf(server.post(path, { token, password: GOOD_PASSWORD }))).toBe(
          'link_invalid',
        );
      }
    }
    const { jwt: own } = await server.login(email, NEW_PASSWORD);
    expect(await me(server, own)).toMatchObject({ email, emailVerified: true });
  });

  it('leaves an audit that shows, by the query of the docs, whose account a stranger took', async () => {
    const [, query = ''] =
      /```sql\n([^`]*undone[^`]*)```/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
    const fine = await registered({ verified: true });
    const taken = await registered({ verified: true });
    for (const { jwt, username, email } of [fine, taken]) {
      await move(server, jwt, `${username}@right.example`);
      expect(await undo(await tokenOf(server, email, CHANGED))).toBe(204);
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

  it('changes the spelling of the own address, whose mailbox hears of no other account', async () => {
    const { username, email, jwt } = await registered({ verified: true });
    const spelled = email.replace(username, username.toUpperCase());
    await changeAddress(server, jwt, spelled).expect(202);
    const token = await tokenOf(server, spelled, CONFIRM);
    await server.post('/email/confirm', { token }).expect(204);
    expect(await me(server, jwt)).toMatchObject({ email: spelled, emailVerified: true });
    for (const address of [email, spelled]) {
      expect(await mailsAbout(address, EXISTS)).toEqual([]);
      // The mailbox is the same, so there is nothing to undo.
      expect(await mailsAbout(address, CHANGED)).toEqual([]);
    }
  });
});
