import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { databaseOptions } from './database.options.js';
import { NO_TABLES } from './tables.js';

let dir: string;
let database: DataSource;
const open = () =>
  new DataSource(databaseOptions(`sqlite:${dir}/database`, NO_TABLES)).initialize();
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-statements-'));
  database = await open();
  await database.query('CREATE TABLE cats (id integer PRIMARY KEY, name text UNIQUE)');
});
afterEach(async () => {
  if (database.isInitialized) await database.destroy();
  rmSync(dir, { recursive: true });
});

const insert = (name: string) => database.query('INSERT INTO cats (name) VALUES ($1)', [name]);
const names = async (): Promise<string[]> => {
  const rows = await database.query<{ name: string }[]>('SELECT * FROM cats ORDER BY id');
  return rows.map(({ name }) => name);
};

it('runs the same statement again with other values, also many at once', async () => {
  const given = Array.from({ length: 20 }, (_none, index) => `cat ${index}`);
  for (const name of given.slice(0, 5)) await insert(name);
  await Promise.all(given.slice(5).map(insert));
  expect((await names()).sort()).toEqual([...given].sort());
  const found = await Promise.all(
    given.map((name) => database.query<object[]>('SELECT name FROM cats WHERE name = $1', [name])),
  );
  expect(found).toEqual(given.map((name) => [{ name }]));
});

it('tells how many rows each run has changed, and its new id', async () => {
  for (let id = 1; id <= 4; id++) {
    expect(await insert(`cat ${id}`)).toBe(id);
    const runner = database.createQueryRunner();
    const change = 'UPDATE cats SET name = name WHERE id <= $1';
    expect((await runner.query(change, [id], true)).affected).toBe(id);
    expect((await runner.query(change, [0], true)).affected).toBe(0);
  }
});

it('fails each time alike, and works again afterwards', async () => {
  for (let time = 0; time < 4; time++) {
    await expect(database.query('SELECT tail FROM cats')).rejects.toThrow('no such column');
    if (time > 0) await expect(insert('Tom')).rejects.toThrow('UNIQUE constraint failed');
    else await insert('Tom');
  }
  await insert('Felix');
  expect(await names()).toEqual(['Tom', 'Felix']);
});

it('sees a column that was added after a statement was first run', async () => {
  for (let time = 0; time < 3; time++) await names();
  await database.query('ALTER TABLE cats ADD COLUMN age integer');
  await insert('Tom');
  for (let time = 0; time < 3; time++) {
    expect(await database.query('SELECT * FROM cats ORDER BY id')).toEqual([
      { id: 1, name: 'Tom', age: null },
    ]);
  }
});

it('leaves no statement open that returns rows of an insertion', async () => {
  const sql = 'INSERT INTO cats (name) VALUES ($1) RETURNING id';
  for (const name of ['Tom', 'Felix', 'Garfield']) await database.query(sql, [name]);
  const other = await open();
  await other.query("INSERT INTO cats (name) VALUES ('Kitty')");
  await other.destroy();
  expect(await names()).toEqual(['Tom', 'Felix', 'Garfield', 'Kitty']);
});

describe('after another program has held the file for too long', () => {
  const rename = () => database.query("UPDATE cats SET name = 'Felix'");
  const begin = () => database.query('BEGIN IMMEDIATE');
  let other: DataSource;
  beforeEach(async () => {
    await database.query('PRAGMA busy_timeout = 1');
    await insert('Tom');
    other = await open();
  });
  afterEach(() => other.destroy());

  /** Lets a statement, which was run before, fail. */
  async function failOnce(statement: () => Promise<unknown>): Promise<void> {
    await other.query('BEGIN IMMEDIATE');
    await expect(statement()).rejects.toThrow('SQLITE_BUSY');
    await other.query('COMMIT');
  }

  it('keeps the next write, and lets others write', async () => {
    for (const name of ['Kitty', 'Garfield']) await insert(name);
    await database.query('DELETE FROM cats WHERE id > 1');
    await failOnce(() => insert('Kitty'));
    await rename();
    const seen = await other.query<object[]>('SELECT name FROM cats');
    expect(seen).toEqual([{ name: 'Felix' }]);
    await other.query("INSERT INTO cats (name) VALUES ('Garfield')");
    await insert('Kitty');
    expect(await names()).toEqual(['Felix', 'Garfield', 'Kitty']);
  });

  it('commits the next transaction', async () => {
    for (let time = 0; time < 3; time++) {
      await begin();
      await database.query('COMMIT');
    }
    await failOnce(begin);
    await rename();
    await begin();
    await insert('Kitty');
    await database.query('COMMIT');
    const seen = await other.query<object[]>('SELECT name FROM cats ORDER BY id');
    expect(seen).toEqual([{ name: 'Felix' }, { name: 'Kitty' }]);
  });
});

it('closes a connection with statements that were run, more than it remembers', async () => {
  for (let index = 0; index < 250; index++) {
    const sql = `SELECT ${index} AS one`;
    for (let time = 0; time < 3; time++) {
      expect(await database.query(sql)).toEqual([{ one: index }]);
    }
  }
  // The last one is being prepared.
  const last = [names(), names(), names()];
  await database.destroy();
  await Promise.allSettled(last);
});

it('keeps few statements prepared if they are long', async () => {
  interface Connection {
    prepare(...args: unknown[]): { finalize(): void };
  }
  const { databaseConnection } = database.driver as unknown as { databaseConnection: Connection };
  const prepare = databaseConnection.prepare.bind(databaseConnection);
  let kept = 0;
  const spy = jest.spyOn(databaseConnection, 'prepare').mockImplementation((...args) => {
    const statement = prepare(...args);
    const finalize = statement.finalize.bind(statement);
    kept++;
    statement.finalize = () => {
      kept--;
      finalize();
    };
    return statement;
  });
  for (let index = 0; index < 30; index++) {
    for (let time = 0; time < 3; time++) {
      expect(await database.query(`SELECT '${'x'.repeat(20_000)}' = '${index}' AS same`)).toEqual([
        { same: 0 },
      ]);
    }
  }
  expect([spy.mock.calls.length, kept]).toEqual([30, 9]);
});
