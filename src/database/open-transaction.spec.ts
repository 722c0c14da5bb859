import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type EntityManager } from 'typeorm';
import { Database } from './database.js';
import { databaseOptions } from './database.options.js';
import { NO_TABLES } from './tables.js';

let dir: string;
let reader: DataSource;
let database: Database;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-transaction-'));
  const options = databaseOptions(`sqlite:${dir}/database`, NO_TABLES);
  reader = await new DataSource(options).initialize();
  database = await Database.open(reader, 0.5);
  await database.write((manager) =>
    manager.query('CREATE TABLE cats (id integer PRIMARY KEY, name text)'),
  );
});
afterEach(async () => {
  await database.onApplicationShutdown();
  await reader.destroy();
  rmSync(dir, { recursive: true });
});

const insert = (id: number) => (manager: EntityManager) =>
  manager.query<unknown>('INSERT INTO cats (id) VALUES ($1)', [id]);
const ids = async (): Promise<number[]> => {
  const rows = await reader.query<{ id: number }[]>('SELECT id FROM cats ORDER BY id');
  return rows.map(({ id }) => id);
};

it('undoes a transaction that runs no statement for too long, and that one alone', async () => {
  let goOn: () => void = () => undefined;
  const never = new Promise<void>((resolve) => (goOn = resolve));
  const late: unknown[] = [];
  const results = await Promise.allSettled([
    database.transaction(insert(1)),
    database.transaction(async (manager) => {
      await insert(2)(manager);
      await never;
      await insert(3)(manager).catch((error: unknown) => late.push(error));
    }),
  ]);
  expect(results).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'unavailable' } }]);
  await database.transaction(async (manager) => {
    goOn();
    await insert(4)(manager);
  });
  expect(await ids()).toEqual([1, 4]);
  expect(late).toHaveLength(1);
});

it('takes the writes of code that a transaction has left behind', async () => {
  let left: Promise<unknown> = Promise.resolve();
  await database.transaction(async (manager) => {
    await insert(1)(manager);
    left = new Promise((resolve) => setTimeout(resolve, 50)).then(() =>
      database.transaction(insert(2)),
    );
  });
  await left;
  expect(await ids()).toEqual([1, 2]);
});

it.each([0, 1, 2])(
  'refuses a write alone that ignores a full disk, as number %s',
  async (place) => {
    const full = async (manager: EntityManager) => {
      const [pages] = await manager.query<{ page_count: number }[]>('PRAGMA page_count');
      await manager.query(`PRAGMA max_page_count = ${pages?.page_count}`);
      // SQLite undoes the whole transaction, and would store the next statement at once.
      const large = 'INSERT INTO cats (name) VALUES (hex(zeroblob(100000)))';
      await manager.query(large).catch(() => undefined);
      await insert(99)(manager).catch(() => undefined);
    };
    const works = [1, 2, 3].map((id) => insert(id));
    works.splice(place, 0, full);
    const results = await Promise.allSettled(works.map((work) => database.transaction(work)));
    const refused = results.map(({ status }) => status === 'rejected');
    expect(refused).toEqual(works.map((work) => work === full));
    expect(await ids()).toEqual([1, 2, 3]);
  },
);

it('lets a transaction run for long if it does run statements', async () => {
  const slow = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3e6)
                SELECT max(i) FROM n`;
  const since = performance.now();
  await database.transaction(async (manager) => {
    while (performance.now() - since < 1_200) await manager.query(slow);
    await insert(1)(manager);
  });
  expect(await ids()).toEqual([1]);
});
