import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, EntitySchema } from 'typeorm';
import { databaseOptions } from './database.options.js';
import { WriteQueue } from './write-queue.js';

class Cat {
  id!: number;
  name!: string;
}
const entity = new EntitySchema<Cat>({
  name: 'Cat',
  target: Cat,
  tableName: 'cats',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text' } },
});

let dir: string;
let writer: DataSource;
let queue: WriteQueue;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-queue-'));
  const options = databaseOptions(`sqlite:${dir}/database`, { entities: [], migrations: [] });
  writer = await new DataSource({ ...options, entities: [entity] }).initialize();
  await writer.query('CREATE TABLE cats (id integer PRIMARY KEY, name text UNIQUE)');
  await writer.query(
    'CREATE TABLE kittens (cat_id integer REFERENCES cats (id) DEFERRABLE INITIALLY DEFERRED)',
  );
  queue = new WriteQueue(writer, 5);
});
afterEach(async () => {
  await writer.destroy();
  rmSync(dir, { recursive: true });
});

const insert = (id: number) => () => writer.query('INSERT INTO cats VALUES ($1, $1)', [id]);
const kitten = (of: number) => () => writer.query('INSERT INTO kittens VALUES ($1)', [of]);
const ids = async (): Promise<number[]> => {
  const rows = await writer.query<{ id: number }[]>('SELECT id FROM cats ORDER BY id');
  return rows.map(({ id }) => id);
};
/** Runs all at once, so that they share a transaction. Returns which succeeded. */
const together = async (...works: (() => Promise<unknown>)[]): Promise<boolean[]> => {
  const results = await Promise.allSettled(works.map((work) => queue.run(work, false)));
  return results.map(({ status }) => status === 'fulfilled');
};

it('refuses a write alone if its constraint is checked at the commit', async () => {
  const done = await together(insert(1), kitten(7), insert(2), kitten(1));
  expect(done).toEqual([true, false, true, true]);
  expect(await ids()).toEqual([1, 2]);
  expect(await writer.query('SELECT cat_id FROM kittens')).toEqual([{ cat_id: 1 }]);
});

it('is idle only after a write that follows another one at once', async () => {
  let ended = 0;
  const write = () => queue.run(insert(ended + 1), false).then(() => ended++);
  const chain = write().then(write).then(write);
  await queue.idle();
  expect(ended).toBe(3);
  await chain;
});

describe('TypeORM methods that begin a transaction of their own', () => {
  const save = (id: number) => async (): Promise<void> => {
    await writer.manager.save(Object.assign(new Cat(), { id, name: String(id) }));
  };
  const nested = (id: number) => () =>
    writer.manager.transaction(async (manager) => {
      await manager.insert(Cat, { id, name: String(id) });
      if (id > 5) throw new Error('undone');
    });

  it.each([
    ['save()', save],
    ['transaction()', nested],
  ])('%s is part of the transaction, shared or not', async (_name, work) => {
    expect(await together(work(1))).toEqual([true]);
    expect(await together(insert(2), work(3), work(4), insert(5))).toEqual(Array(4).fill(true));
    await queue.run(work(0), true);
    expect(await ids()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('undo their own write alone', async () => {
    expect(await together(insert(1), nested(6), save(1), save(2))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(await ids()).toEqual([1, 2]);
  });
});
