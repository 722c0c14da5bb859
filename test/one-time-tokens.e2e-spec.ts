import { randomUUID } from 'node:crypto';
import { Database } from '../src/database/database.js';
import { OneTimeToken } from '../src/mailed-links/one-time-token.entity.js';
import type { LinkOrCode } from '../src/mailed-links/link-or-code.js';
import { MailedLinks } from '../src/mailed-links/mailed-links.js';
import { OneTimeTokensService } from '../src/mailed-links/one-time-tokens.service.js';
import { User } from '../src/users/user.entity.js';
import { type Server, startServer } from './support/server.js';

let server: Server;
let twin: Server;
let user: User;
let names = 0;
beforeAll(async () => {
  server = await startServer();
  twin = await startServer({ DATABASE_URL: server.database.url });
});
afterAll(async () => {
  await twin.stop();
  await server.stop();
});
beforeEach(async () => {
  const name = `user${names++}`;
  const { id } = await server.register(name, undefined, `${name}@example.org`);
  user = await server.withDatabase(async (db) => {
    // The registration has made one of its own.
    await db.getRepository(OneTimeToken).delete({ userId: id });
    return db.getRepository(User).findOneByOrFail({ id });
  });
});

const linkFor = (purpose: string, at = server) => {
  const link = at.app.get(MailedLinks).find(purpose);
  if (!link) throw new Error(`There is no link for ${purpose}`);
  return link;
};
const issue = async (purpose: string, payload: Record<string, string> | null, of = user) => {
  const { link, code } = await server.app
    .get(Database)
    .transaction((manager) => linkFor(purpose).issue(manager, of, payload));
  return { token: new URL(link).searchParams.get('token') ?? '', code };
};
const reset = () => issue('reset-password', null);

/** Redeems it; resolves to the user's name and the payload, or to the code of the refusal. */
const redeem = (given: LinkOrCode, purpose = 'reset-password', at = server) =>
  linkFor(purpose, at)
    .redeem(given, (_manager, { user: { username }, payload }) =>
      Promise.resolve([username, payload] as unknown),
    )
    .catch((error: unknown) => (error as { code?: unknown }).code ?? error);
const done = () => [user.username, null];
const change = (values: Partial<User>) =>
  server.withDatabase((db) => db.getRepository(User).update({ id: user.id }, values));
const age = (values: Partial<OneTimeToken>) =>
  server.withDatabase((db) => db.getRepository(OneTimeToken).update({ userId: user.id }, values));
const stored = () =>
  server.withDatabase((db) => db.getRepository(OneTimeToken).findBy({ userId: user.id }));
const wrong = (code: string) => ((Number(code) + 1) % 100_000_000).toString().padStart(8, '0');

describe('a one-time token', () => {
  it('is 256 random bits and eight digits, and the database holds neither', async () => {
    const { token, code } = await reset();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(code).toMatch(/^\d{8}$/);
    expect(linkFor('reset-password').declaration.lifetime).toBe(1_800);
    expect(JSON.stringify(await stored())).not.toMatch(new RegExp(`${token}|${code}`));
    expect(await redeem({ token })).toEqual(done());
    expect(await redeem({ token })).toBe('link_invalid');
    expect(await redeem({ userId: user.id, code })).toBe('code_invalid');
  });

  it.each(['token', 'code'])('does its work once for 16 at once, by its %s', async (by) => {
    const { token, code } = await reset();
    // Of codes only five are looked at at all.
    const given = by === 'token' ? { token } : { userId: user.id, code };
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) => redeem(given, 'reset-password', i % 2 ? server : twin)),
    );
    expect(results.filter((result) => Array.isArray(result))).toEqual([done()]);
    const refused = results.filter((result) => !Array.isArray(result));
    expect(new Set(refused)).toEqual(new Set([by === 'token' ? 'link_invalid' : 'code_invalid']));
  });

  it('is ended by a newer one of its purpose and user, also of eight made at once', async () => {
    const first = await reset();
    const verification = await issue('verify-email', null);
    const made = await Promise.all(Array.from({ length: 8 }, reset));
    expect(await redeem(first)).toBe('link_invalid');
    const results = [];
    for (const { token } of made) results.push(await redeem({ token }));
    expect(results.filter((result) => Array.isArray(result))).toEqual([done()]);
    expect(await redeem(verification, 'verify-email')).toEqual(done());
  });

  it('opens nothing but what it is for', async () => {
    const { token, code } = await reset();
    expect(await redeem({ token }, 'verify-email')).toBe('link_invalid');
    expect(await redeem({ userId: user.id, code }, 'verify-email')).toBe('code_invalid');
    expect(await redeem({ token })).toEqual(done());
  });

  it('expires, and is forgotten', async () => {
    const { token, code } = await reset();
    await age({ expiresAt: new Date() });
    expect(await redeem({ token })).toBe('link_invalid');
    expect(await redeem({ userId: user.id, code })).toBe('code_invalid');
    await server.app.get(OneTimeTokensService).clean();
    expect(await stored()).toEqual([]);
  });

  it.each([
    ['verify-email', { email: 'new@example.org' }, { passwordHash: 'x' }],
    ['reset-password', { emailKey: null }, { username: 'Other' }],
    ['reset-password', { passwordHash: 'x' }, { displayName: 'Ada L.' }],
  ] as const)('for %s dies with a change of %j, not of %j', async (purpose, fatal, harmless) => {
    const one = await issue(purpose, null);
    await change(harmless);
    await change(fatal);
    expect(await redeem(one, purpose)).toBe('link_invalid');
    await change({ email: user.email, emailKey: user.emailKey, passwordHash: user.passwordHash });
    const other = await issue(purpose, null);
    await change(harmless);
    expect(await redeem(other, purpose)).toHaveLength(2);
  });

  it('to undo a change of address outlives a thief who changes everything again', async () => {
    const owner = { email: 'owner@example.org', emailKey: 'owner@example.org' };
    const first = await issue('undo-email-change', owner);
    expect(first.code).toBe('');
    await change({ emailKey: `thief${user.id}`, passwordHash: 'x' });
    await issue('undo-email-change', { email: 'thief@example.org', emailKey: 'thief' });
    expect(await redeem({ userId: user.id, code: '' }, 'undo-email-change')).toBe('code_invalid');
    expect(await redeem(first, 'undo-email-change')).toEqual([user.username, owner]);
  });

  it('stays good when the work fails, and the work is undone', async () => {
    const { token } = await reset();
    const failing = linkFor('reset-password').redeem({ token }, async (manager) => {
      await manager.update(User, { id: user.id }, { username: 'half done' });
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(await redeem({ token })).toEqual(done());
  });

  it('goes with the user', async () => {
    await reset();
    await server.app.get(Database).write((manager) => manager.delete(User, { id: user.id }));
    expect(await stored()).toEqual([]);
  });

  it.each(['', 'x', '\0', '\uD800', "' OR 1=1 --", 'A'.repeat(60_000)])(
    'is not %j',
    async (made) => {
      await reset();
      expect(await redeem({ token: made })).toBe('link_invalid');
      expect(await redeem({ userId: user.id, code: made })).toBe('code_invalid');
    },
  );
});

describe('a code', () => {
  it('may be typed with a blank or a hyphen', async () => {
    for (const separator of [' ', '-']) {
      const { code } = await reset();
      const typed = `${code.slice(0, 4)}${separator}${code.slice(4)} `;
      expect(await redeem({ userId: user.id, code: typed })).toEqual(done());
    }
  });

  it('is good at the fifth try and not at the sixth; the link stays good', async () => {
    for (const [misses, result] of [
      [4, done()],
      [5, 'code_invalid'],
    ] as const) {
      const { code } = await reset();
      for (let i = 0; i < misses; i++) {
        expect(await redeem({ userId: user.id, code: wrong(code) })).toBe('code_invalid');
      }
      expect(await redeem({ userId: user.id, code })).toEqual(result);
    }
    const { token, code } = await reset();
    for (let i = 0; i < 6; i++) await redeem({ userId: user.id, code: wrong(code) });
    expect(await redeem({ token })).toEqual(done());
  });

  it('is tried five times by 16 at once, from two instances', async () => {
    const { code } = await reset();
    await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        redeem({ userId: user.id, code: wrong(code) }, 'reset-password', i % 2 ? server : twin),
      ),
    );
    expect((await stored()).map(({ codeAttempts }) => codeAttempts)).toEqual([5]);
    expect(await redeem({ userId: user.id, code })).toBe('code_invalid');
  });

  it("is one user's, and nobody's for a user who is not there", async () => {
    const { code } = await reset();
    const other = await server.register(`other${names++}`);
    for (const userId of [other.id, randomUUID(), undefined]) {
      expect(await redeem({ userId, code })).toBe('code_invalid');
    }
    expect(await redeem({ userId: user.id, code })).toEqual(done());
  });
});

describe('a declaration', () => {
  const page = { title: '', text: '', button: '', done: '' };
  const declare = (purpose: string, more: object) =>
    server.app.get(MailedLinks).declare({
      purpose,
      lifetime: 60,
      code: false,
      guard: () => [],
      page: { en: page, de: page },
      redeem: () => Promise.resolve(),
      ...more,
    });

  it('may lead to a page of your own', async () => {
    const link = declare('own-page', {
      mail: 'reset-password',
      url: 'https://app.example.com/reset',
    });
    const made = await server.app
      .get(Database)
      .transaction((manager) => link.issue(manager, user, null));
    expect(made.link).toMatch(/^https:\/\/app\.example\.com\/reset\?token=[\w-]{43}$/);
    expect(made.code).toBe('');
  });

  it('is refused for a purpose that is taken, and without a mail', () => {
    expect(() => declare('reset-password', {})).toThrow('declared twice');
    expect(() => declare('no-such-mail', {})).toThrow('no mail template "no-such-mail"');
  });
});
