import { prepareEmail } from '../src/users/email.js';
import { User } from '../src/users/user.entity.js';
import { UsersService } from '../src/users/users.service.js';
import { prepareUsername } from '../src/users/username.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { type Person, person } from './support/admins.js';
import { databaseKind } from './support/databases.js';
import { type Server, startServer } from './support/server.js';

let server: Server;
let admin: Person;
beforeAll(async () => {
  server = await startServer();
  admin = await person(server, 'zz-root', ['admin']);
});
afterAll(() => server.stop());

/** Stores a user as a registration does, without the hashing. */
async function stored(username: string, address: string | null = null, more = {}) {
  const name = prepareUsername(username);
  const email = address === null ? undefined : prepareEmail(address);
  if (!name.ok || email?.ok === false) throw new Error(`no name: ${username}`);
  return server.app.get(UsersService, { strict: false }).create({
    username,
    usernameKey: name.key,
    email: email?.email ?? null,
    emailKey: email?.key ?? null,
    passwordHash: 'x',
    ...more,
  });
}

interface Page {
  users: { username: string; id: string }[];
  next: string | null;
}
const page = async (query: Record<string, string | number>): Promise<Page> => {
  const text = new URLSearchParams(query as Record<string, string>).toString();
  const { status, body } = await admin.ask('GET', `/users?${text}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as Page;
};
const names = async (query: Record<string, string | number>) =>
  (await page(query)).users.map(({ username }) => username);

/** The names of all pages, in order. */
async function walk(query: Record<string, string | number>): Promise<string[]> {
  const all: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const one: Page = await page({ ...query, ...(cursor !== undefined && { cursor }) });
    all.push(...one.users.map(({ username }) => username));
    cursor = one.next;
  }
  return all;
}

describe('a search by prefix', () => {
  beforeAll(async () => {
    await stored('Anna', 'x-anna@example.com');
    await stored('annabel', 'annabel@example.com');
    await stored('bert', 'anna.b@example.com');
    await stored('100%_sure');
    await stored('100percent');
    await stored('a_b');
    await stored('axb');
    await stored('Ωμέγα', 'info@münchen.example');
    await stored('Ünal');
  });

  it('finds names first and then addresses, each user once, whatever the case', async () => {
    expect(await names({ q: 'ANNA' })).toEqual(['Anna', 'annabel', 'bert']);
    expect(await walk({ q: 'anna', limit: 1 })).toEqual(['Anna', 'annabel', 'bert']);
    expect(await names({ q: 'anna.b@EXAMPLE' })).toEqual(['bert']);
    expect(await names({ q: 'ω' })).toEqual(['Ωμέγα']);
    expect(await names({ q: 'u\u0308n' })).toEqual(['Ünal']);
    expect(await names({ q: 'info@MÜNCHEN.example' })).toEqual(['Ωμέγα']);
  });

  it('takes signs of other languages for what they are', async () => {
    expect(await names({ q: '100%' })).toEqual(['100%_sure']);
    expect(await names({ q: 'a_' })).toEqual(['a_b']);
    for (const q of ['%', '_', '*', '\\', "' OR 1=1 --", '\u{1F408}', '\u{10FFFF}', '\uFFFD']) {
      expect([q, await names({ q })]).toEqual([q, []]);
    }
  });

  it.each([
    ['q=%00', 'The q holds characters that cannot be stored'],
    [`q=${'x'.repeat(255)}`, 'The q has more than 254 characters'],
    ['q=a&q=b', 'The q has to be a string'],
    ['limit=0', 'The limit is a whole number from 1 to 100'],
    ['limit=101', 'The limit is a whole number from 1 to 100'],
    ['limit=1e1', undefined],
    ['limit=x', 'The limit is a whole number from 1 to 100'],
    ['state=banned', 'The state is one of active, disabled, unverified'],
    ['mfa=totp', 'The mfa is one of none, any'],
    [
      'role=%00',
      'The name of a role begins with a letter and has up to 64 letters, digits and any of .:-_',
    ],
    ['created_after=1', 'The created_after has to be a time such as 2030-12-31T12:00:00Z'],
  ])('answers %s with %s', async (query, msg) => {
    const { status, body } = await admin.ask('GET', `/users?${query}`);
    expect([status, body.msg]).toEqual([msg === undefined ? 200 : 400, msg]);
  });
});

describe('filters and pages', () => {
  const base = Date.parse('2020-01-01T00:00:00Z');
  const ids: string[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 30; i++) {
      const user = await stored(`p${String(i).padStart(2, '0')}`, `p${i}@example.com`, {
        roles: i % 3 === 0 ? ['keeper', 'third'] : [],
        emailVerifiedAt: i % 2 ? new Date() : null,
      });
      ids.push(user.id);
    }
    await server.withDatabase(async (db) => {
      // Three of each moment, so that ids decide, and a page ends among them.
      for (const [i, id] of ids.entries()) {
        const createdAt = base + Math.floor(i / 3) * 1000;
        await db.query('UPDATE users SET created_at = $1 WHERE id = $2', [createdAt, id]);
        if (i % 10 === 0) {
          await db.query('UPDATE users SET second_factor_since = $1 WHERE id = $2', [base, id]);
        }
        await db.query('UPDATE user_roles SET created_at = $1 WHERE user_id = $2', [createdAt, id]);
      }
    });
    const changes = server.app.get(UserChangesService, { strict: false });
    for (const id of ids.slice(0, 5)) await changes.disable(id);
    for (const id of ids.slice(5, 10)) {
      await changes.disable(id, { reason: null, until: new Date(Date.now() - 1) });
    }
  });
  const at = (seconds: number) => new Date(base + seconds * 1000).toISOString();
  const old = { created_before: at(60) };
  const numbered = (...numbers: number[]) =>
    numbers.map((i) => `p${String(i).padStart(2, '0')}`).sort();

  it.each([1, 2, 7, 100])('gives everybody once, the newest first, by %d', async (limit) => {
    const all = await walk({ ...old, limit });
    expect(all.toSorted()).toEqual(numbered(...ids.keys()));
    const moments = all.map((name) => Math.floor(Number(name.slice(1)) / 3));
    expect(moments).toEqual(moments.toSorted((a, b) => b - a));
  });

  it('goes on where it was, whoever is new meanwhile', async () => {
    const first = await page({ limit: 2 });
    await stored('newcomer');
    const second = await page({ limit: 2, cursor: first.next ?? '' });
    const seen = [...first.users, ...second.users].map(({ id }) => id);
    expect(new Set(seen).size).toBe(4);
    expect(second.users.map(({ username }) => username)).not.toContain('newcomer');
  });

  it('holds every filter, alone and together', async () => {
    const third = [...ids.keys()].filter((i) => i % 3 === 0);
    const found = async (query: Record<string, string | number>) =>
      (await walk({ ...query, limit: 3 })).sort();
    expect(await found({ role: 'third' })).toEqual(numbered(...third));
    expect(await found({ ...old, state: 'disabled' })).toEqual(numbered(0, 1, 2, 3, 4));
    expect(await found({ ...old, state: 'active' })).toHaveLength(25);
    expect(await found({ ...old, state: 'unverified' })).toHaveLength(15);
    expect(await found({ created_after: at(2), created_before: at(3) })).toEqual(numbered(6, 7, 8));
    expect(await found({ role: 'third', state: 'disabled' })).toEqual(numbered(0, 3));
    expect(await found({ q: 'P', role: 'third', created_after: at(9) })).toEqual(numbered(27));
    expect(await found({ q: 'p', state: 'disabled' })).toEqual(numbered(0, 1, 2, 3, 4));
    expect(await found({ role: 'nobody-has-it' })).toEqual([]);
    expect(await found({ mfa: 'any' })).toEqual(numbered(0, 10, 20));
    expect(await found({ ...old, mfa: 'none' })).toHaveLength(27);
    expect(await found({ role: 'third', mfa: 'none' })).toEqual(
      numbered(...third.filter((i) => i !== 0)),
    );
    expect(await found({ q: 'p', mfa: 'any', state: 'disabled' })).toEqual(numbered(0));
  });

  it('takes a cursor only for what it was made for', async () => {
    const cursorOf = async (query: Record<string, string>) =>
      (await page({ ...query, limit: 1 })).next ?? '';
    const byTime = await cursorOf({});
    const byName = await cursorOf({ q: 'p' });
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const [query, cursor] of [
      ['', 'x'],
      ['', ''],
      ['', byName],
      ['', made(null)],
      ['', made(['time', 1e300, 'id'])],
      ['', made(['time', '1', 'id'])],
      ['', made(['time', 1.5, 'id'])],
      ['', made(['time', 1, 'a\0'])],
      ['', made(['time', 1, '\uD800'])],
      ['', made(['time', 1])],
      ['', made(['email', 'p'])],
      ['q=p', byTime],
      ['q=q', byName],
      ['q=p', made(['name', 'p\0'])],
      ['q=p', made(['name', `p${'x'.repeat(512)}`])],
      ['q=p', made(['address', 'a'])],
      ['created_before=2000-01-01T00:00:00Z', byTime],
    ] as const) {
      const answer = await admin.ask('GET', `/users?${query}&cursor=${cursor}`);
      expect([query, cursor, answer]).toEqual([
        query,
        cursor,
        {
          status: 400,
          body: { msg: 'The cursor is not one of this list', code: 'invalid_parameter' },
        },
      ]);
    }
    // What could be one shows nothing that the list without it would not.
    const after = made(['time', base + 1000, "' OR 1=1"]);
    expect((await names({ cursor: after })).toSorted()).toEqual(numbered(0, 1, 2));
  });

  it('looks at no more than a thousand for a page, and says that there may be more', async () => {
    const { id } = await stored('rare', null, { roles: ['rare'] });
    await server.withDatabase(async (db) => {
      const moment = base - 86_400_000;
      await db.query('UPDATE users SET created_at = $1 WHERE id = $2', [moment - 1, id]);
      const crowd = Array.from({ length: 1_050 }, (_, i) => ({
        ...db.getRepository(User).create(),
        id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
        username: `q${i}`,
        usernameKey: `q${i}`,
        passwordHash: 'x',
        roles: [],
        createdAt: new Date(moment),
        updatedAt: new Date(moment),
      }));
      for (let i = 0; i < crowd.length; i += 350) {
        await db.getRepository(User).insert(crowd.slice(i, i + 350));
      }
    });
    const before = { created_before: new Date(base - 86_400_000 + 1).toISOString() };
    const short = await page({ q: 'q', role: 'rare' });
    expect([short.users, typeof short.next]).toEqual([[], 'string']);
    expect(await walk({ q: 'q', role: 'rare' })).toEqual([]);
    expect(await walk({ q: 'rare', role: 'rare' })).toEqual(['rare']);
    expect((await walk(before)).length).toBe(1_051);
  });
});

it('finds every page by an index', async () => {
  const asked: string[] = [];
  const plans = await server.withDatabase(async (db) => {
    const key = (column: string) =>
      `SELECT id FROM users WHERE ${column} > 'p' AND ${column} < 'q' ORDER BY ${column} LIMIT 50`;
    const time = (condition: string) =>
      `SELECT id FROM users WHERE (created_at, id) < (1600000000000, 'x') AND ${condition}
         ORDER BY created_at DESC, id DESC LIMIT 50`;
    asked.push(
      key('username_key'),
      key('email_key'),
      time('created_at >= 1'),
      time('disabled_at IS NOT NULL'),
      time('email_verified_at IS NULL AND email_key IS NOT NULL'),
      time('second_factor_since IS NOT NULL'),
      time('second_factor_since IS NULL'),
      `SELECT user_id FROM user_roles WHERE (created_at, user_id) < (1600000000000, 'x')
         AND role = 'third' ORDER BY created_at DESC, user_id DESC LIMIT 50`,
    );
    const runner = db.createQueryRunner();
    try {
      // So few rows are read as they come, were it not forbidden.
      if (databaseKind() === 'postgres') {
        await runner.query(
          'SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off',
        );
        await runner.query('ANALYZE users');
      }
      const explain = databaseKind() === 'postgres' ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN';
      const plans: string[] = [];
      for (const sql of asked) plans.push(JSON.stringify(await runner.query(`${explain} ${sql}`)));
      return plans;
    } finally {
      await runner.release();
    }
  });
  const indices = [
    /uq_users_username_key/,
    /uq_users_email_key/,
    /ix_users_created_at/,
    /ix_users_disabled/,
    /ix_users_unverified/,
    /ix_users_with_factor/,
    /ix_users_without_factor|ix_users_created_at/,
    /PK_|autoindex_user_roles/,
  ];
  for (const [i, plan] of plans.entries()) {
    expect([asked[i], plan]).toEqual([asked[i], expect.stringMatching(indices[i] as RegExp)]);
    expect(plan).not.toMatch(/SCAN (users|user_roles)(?! USING)|Seq Scan|TEMP B-TREE|Sort/);
    expect(plan).toMatch(databaseKind() === 'postgres' ? /Index Cond/ : /SEARCH/);
  }
});
