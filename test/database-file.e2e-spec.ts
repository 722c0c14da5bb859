import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import { Database } from '../src/database/database.js';
import { underLoad } from './support/load.js';
import {
  BOUND,
  expectNothingLost,
  expectOnlyUnavailable,
  SLACK,
  TIMES,
  warnings,
} from './support/outages.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { eventually } from './support/wait.js';

let server: Server;

describe('an SQLite file that cannot be written', () => {
  // At once, whatever the connection does: in a transaction of other writes, it would be undone with them.
  const ask = (pragma: string) =>
    (Reflect.get(server.app.get(Database), 'writer') as DataSource).query(`PRAGMA ${pragma}`);
  const integrity = () => server.withDatabase((db) => db.query('PRAGMA integrity_check'));

  beforeEach(async () => {
    server = await startServer(TIMES);
  });
  afterEach(() => server.stop());

  it('waits for a lock, then answers 503, those that queue behind as well', async () => {
    await server.register('patient');
    const { jwt } = await server.login('patient');
    const login = { username: 'patient', password: GOOD_PASSWORD };
    const post = () => server.http.post('/login').send(login);
    await server.withDatabase(async (db) => {
      await db.query('BEGIN IMMEDIATE');
      const briefly = post().then(({ status }) => status);
      await eventually(async () => {
        expect((await server.http.get('/metrics')).text).toMatch(/^latchkey_logins_total/m);
      });
      await db.query('COMMIT');
      expect(await briefly).toBe(200);

      await db.query('BEGIN IMMEDIATE');
      const began = performance.now();
      const late = await Promise.all(Array.from({ length: 20 }, post));
      expect(performance.now() - began).toBeLessThan(BOUND + SLACK);
      for (const { status, body, headers } of late) {
        expect([status, body, headers['retry-after']]).toEqual([
          503,
          { msg: 'The service cannot do this right now', code: 'unavailable' },
          '5',
        ]);
      }
      await server.get('/protected', `Bearer ${jwt}`).expect(200);
      expect(server.app.get(Database).use.waiting).toBe(0);
      await db.query('COMMIT');
    });
    await post().expect(200);
    const reasons = new Set(warnings(server).map(({ reason }) => reason));
    expect([...reasons].sort()).toEqual(['SQLITE_BUSY', 'too many writes before it']);
    await expectNothingLost(server, ['patient']);
  });

  it('answers 503 while the file is full, and loses nothing', async () => {
    const load = await underLoad([server], 8, async (answered) => {
      await answered(201, 10);
      await ask('max_page_count = 1');
      await answered(503, 20);
      await ask('max_page_count = 1073741823');
      await answered(201, 10);
    });
    expectOnlyUnavailable(load.answers);
    expect(warnings(server).map(({ reason }) => reason)).toContain('SQLITE_FULL');
    await expectNothingLost(server, load.acknowledged);
    expect(await integrity()).toEqual([{ integrity_check: 'ok' }]);
  });

  if (process.env.TEST_MOUNT !== undefined) {
    it('answers 503 while the disk is full, and loses nothing', async () => {
      const disk = await mkdtemp(join(tmpdir(), 'latchkey-disk-'));
      const mount = (...args: string[]) => promisify(execFile)(args[0] ?? '', args.slice(1));
      await mount('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk);
      await server.stop();
      server = await startServer({ ...TIMES, DATABASE_URL: `sqlite:${disk}/small.sqlite` });
      try {
        const load = await underLoad([server], 8, async (answered) => {
          await answered(201, 10);
          // Whatever is left, to the last byte.
          await expect(writeFile(join(disk, 'full'), Buffer.alloc(16 << 20))).rejects.toThrow(
            'ENOSPC',
          );
          await answered(503, 20);
          await rm(join(disk, 'full'));
          await answered(201, 10);
        });
        expectOnlyUnavailable(load.answers);
        await expectNothingLost(server, load.acknowledged);
        expect(await integrity()).toEqual([{ integrity_check: 'ok' }]);
      } finally {
        await server.app.close();
        await mount('umount', disk);
        await rm(disk, { recursive: true });
      }
    });
  }

  it('answers 503 while the file is read-only, and loses nothing', async () => {
    const load = await underLoad([server], 8, async (answered) => {
      await answered(201, 10);
      await ask('query_only = ON');
      await answered(503, 20);
      await ask('query_only = OFF');
      await answered(201, 10);
    });
    expectOnlyUnavailable(load.answers);
    expect(warnings(server).map(({ reason }) => reason)).toContain('SQLITE_READONLY');
    await expectNothingLost(server, load.acknowledged);
    expect(await integrity()).toEqual([{ integrity_check: 'ok' }]);
  });
});
