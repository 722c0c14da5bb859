import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HashPool } from '../src/passwords/hash-pool.js';
import { PasswordCost } from '../src/passwords/password-cost.entity.js';
import { PasswordCosts } from '../src/passwords/password-costs.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { User } from '../src/users/user.entity.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const LONG = 300_000;

/** For {@link GOOD_PASSWORD}, of another cost than the tests' 4. */
const COST_5 = '$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS';
const COST_7 = `$2b$07$${'a'.repeat(53)}`;

interface Work {
  hash: string;
  dummies: string[];
}

let server: Server;
let last: Work[] = [];
beforeEach(async () => {
  server = await startServer();
  const pool = server.app.get<unknown>(HashPool, { strict: false }) as {
    run(work: string, input: Work, options?: unknown): Promise<unknown>;
  };
  const run = pool.run.bind(pool);
  pool.run = (work, input, options) => {
    if (work === 'bcryptCompare') last.push(input);
    return run(work, input, options);
  };
});
afterEach(() => server.stop());

const costOf = (hash: string) => Number(hash.slice(4, 6));
/** The rounds of bcrypt that a login took, and in how many turns of a thread. */
async function workOf(username: string, password = 'wrong password') {
  last = [];
  const { status } = await server.http.post('/login').send({ username, password });
  // The dummies are for wrong passwords.
  const hashes = last.flatMap(({ hash, dummies }) => [hash, ...(status === 200 ? [] : dummies)]);
  const rounds = hashes.reduce((sum, hash) => sum + 2 ** costOf(hash), 0);
  return { status, rounds, turns: last.length };
}
const setHash = (id: string, passwordHash: string) =>
  server.withDatabase((db) => db.getRepository(User).update({ id }, { passwordHash }));
const noted = () =>
  server.withDatabase(async (db) => {
    const costs = await db.getRepository(PasswordCost).find({ order: { cost: 'ASC' } });
    return costs.map(({ cost }) => cost);
  });
const WRONG = { status: 401, turns: 1 };

describe('a wrong password takes the same work for a known and an unknown user', () => {
  it('after BCRYPT_COST was raised', async () => {
    await server.register('cheap');
    Object.assign(server.config, { bcryptCost: 7 });
    const expected = { ...WRONG, rounds: 2 ** 7 };
    expect(await workOf('unknown')).toEqual(expected);
    expect(await workOf('cheap')).toEqual(expected);
    expect(await workOf('not a name')).toEqual(expected);
    expect(await workOf('cheap', '\ud800')).toEqual(expected);
    // The right one need not: the answer tells that it was right.
    expect(await workOf('cheap', GOOD_PASSWORD)).toEqual({ status: 200, rounds: 2 ** 4, turns: 1 });
    // It was renewed by that.
    expect(await workOf('cheap')).toEqual(expected);
  });

  it('after BCRYPT_COST was lowered, until no stored hash has the former cost', async () => {
    const other = await startServer({
      DATABASE_URL: server.config.databaseUrl,
      BCRYPT_COST: '6',
    });
    try {
      const { id } = await other.register('dear');
      expect(await noted()).toEqual([4, 6]);
      const expected = { ...WRONG, rounds: 2 ** 6 };
      expect(await workOf('unknown')).toEqual(expected);
      expect(await workOf('dear')).toEqual(expected);
      await server.register('cheap');
      expect(await workOf('cheap')).toEqual(expected);
      const costs = server.app.get(PasswordCosts, { strict: false });
      await costs.forgetUnused();
      expect(await noted()).toEqual([4, 6]);
      await setHash(id, COST_5);
      await costs.forgetUnused();
      expect(await noted()).toEqual([4]);
    } finally {
      await other.stop();
    }
  });

  it(
    'after an import of bcrypt hashes of other costs, while the server runs',
    async () => {
      const file = join(server.database.dataDir, 'users.jsonl');
      const users = [
        { username: 'lower', passwordHash: `bcrypt$${COST_5}` },
        { username: 'higher', passwordHash: COST_7 },
        { username: 'none' },
      ];
      await writeFile(file, users.map((user) => JSON.stringify(user)).join('\n'));
      expect((await latchkey(server, ['users', 'import', file])).code).toBe(0);
      const expected = { ...WRONG, rounds: 2 ** 7 };
      for (const name of ['unknown', 'lower', 'higher', 'none']) {
        expect([name, await workOf(name)]).toEqual([name, expected]);
      }
      expect(await workOf('lower', GOOD_PASSWORD)).toMatchObject({ status: 200 });
    },
    LONG,
  );

  it('and notes the cost of a hash before the hash can be stored', async () => {
    const other = await startServer({
      DATABASE_URL: server.config.databaseUrl,
      BCRYPT_COST: '5',
    });
    try {
      await other.app.get(PasswordsService, { strict: false }).hash(GOOD_PASSWORD);
      expect(await noted()).toContain(5);
    } finally {
      await other.stop();
    }
  });
});
