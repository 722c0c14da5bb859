import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import request from 'supertest';
import { CrashLedger } from './support/crash-ledger.js';
import {
  databaseKind,
  type FreshDatabase,
  freshDatabase,
  onDatabase,
} from './support/databases.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import { processes } from './support/server-process.js';
import { until } from './support/wait.js';

/** How often the server is killed under load: `npm run test:crash` sets 50. */
const KILLS = Number(process.env.CRASH_KILLS ?? 3);
/** How often it is killed at its first start. */
const STARTS = Math.ceil(KILLS / 10);
/** Clients that write at the same time. */
const CLIENTS = 8;
/** In milliseconds: with 50 kills, and both databases at a time, under five minutes together. */
const BOUND = Math.max(120_000, KILLS * 4_500);
const START_BOUND = Math.max(60_000, STARTS * 10_000);

let server: ReturnType<typeof processes>;
let database: FreshDatabase;
beforeEach(async () => {
  server = processes();
  database = await freshDatabase();
});
afterEach(async () => {
  await server.killAll();
  await database.drop();
});

/** Starts the built program on the database. */
const start = () =>
  server.start(database.dataDir, {
    DATABASE_URL: database.url,
    DATA_DIR: database.dataDir,
    JWT_SECRET_KEY: SECRET,
    RATE_LIMITS: 'off',
  });

/** SQLite finds nothing wrong with its file. */
async function expectSoundFile(): Promise<void> {
  if (databaseKind() !== 'sqlite') return;
  const [integrity, orphans] = await onDatabase(database.url, async (db) => [
    await db.query<object[]>('PRAGMA integrity_check'),
    await db.query<object[]>('PRAGMA foreign_key_check'),
  ]);
  expect([integrity, orphans]).toEqual([[{ integrity_check: 'ok' }], []]);
}

it(
  `loses nothing that it acknowledged when it is killed under load, ${KILLS} times`,
  async () => {
    const began = performance.now();
    const ledger = new CrashLedger(CLIENTS);
    let instance = start();
    let url = await instance.listening;
    for (let kills = 0; kills < KILLS; kills++) {
      const { child, exit } = instance;
      // After so many answers, as machines are not alike, and then at any moment of the next requests.
      let answers = randomInt(10, 100);
      await ledger.load(url, () => {
        if (--answers === 0) void setTimeout(randomInt(20)).then(() => child.kill('SIGKILL'));
      });
      await exit;

      instance = start();
      url = await instance.listening;
      expect(await ledger.compare(url)).toEqual([]);
      await expectSoundFile();
      expect(instance.output()).not.toMatch(/"level":[56]0/);
      const late = performance.now() - began > 0.9 * BOUND;
      if (late) throw new Error(`nothing was lost, but ${kills + 1} kills took all the time`);
    }
    expect(await ledger.compare(url, 'all')).toEqual([]);
    const { acknowledged, inDoubt } = ledger;
    if (KILLS > 3) console.log(databaseKind(), JSON.stringify({ acknowledged, inDoubt }));
    for (const count of Object.values(acknowledged)) expect(count).toBeGreaterThan(0);
    instance.child.kill('SIGTERM');
    expect(await instance.exit).toMatchObject({ code: 0 });
  },
  BOUND,
);

it(
  'starts after it was killed while it made its tables',
  async () => {
    for (let starts = 0; starts < STARTS; starts++) {
      const first = start();
      await inUse();
      await setTimeout(randomInt(100));
      first.child.kill('SIGKILL');
      await first.exit;

      const url = await start().listening;
      const user = { username: 'ada', password: GOOD_PASSWORD };
      await request(url).post('/register').send(user).expect(201);
      await request(url).post('/login').send(user).expect(200);
      await onDatabase(database.url, async (db) => {
        expect(await db.showMigrations()).toBe(false);
        const ran = await db.query<object[]>('SELECT DISTINCT name FROM migrations');
        expect(ran).toHaveLength(db.migrations.length);
      });
      await expectSoundFile();

      await server.killAll();
      await database.drop();
      server = processes();
      database = await freshDatabase();
    }
  },
  START_BOUND,
);

/** Resolves when a server has begun with the database. */
async function inUse(): Promise<void> {
  if (databaseKind() === 'sqlite') {
    await until(() => existsSync(database.url.slice('sqlite:'.length)), 'a file');
    return;
  }
  await onDatabase(database.url, async (db) => {
    const others = `SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    await until(async () => (await db.query<object[]>(others)).length > 0, 'a connection');
  });
}
