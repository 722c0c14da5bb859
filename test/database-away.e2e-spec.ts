import { DataSource, type EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { toApiError } from '../src/common/api-error.filter.js';
import { Database } from '../src/database/database.js';
import { User } from '../src/users/user.entity.js';
import { type Cluster, postgresPrograms, startCluster } from './support/cluster.js';
import { type FaultProxy, startFaultProxy } from './support/faults.js';
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

describe('PostgreSQL behind a network that breaks', () => {
  let proxy: FaultProxy;

  beforeEach(async () => {
    server = await startServer(async (database) => {
      const url = new URL(database.url);
      proxy = await startFaultProxy(Number(url.port), url.hostname);
      url.hostname = '127.0.0.1';
      url.port = String(proxy.port);
      return { ...TIMES, DATABASE_POOL_SIZE: '4', DATABASE_URL: url.href };
    });
  });
  afterEach(async () => {
    await proxy.close();
    await server.stop();
  });

  const faults: Record<string, () => void | Promise<void>> = {
    'is not there': () => proxy.refuse(),
    'swallows everything': () => {
      proxy.silence();
    },
    'answers later than it may': () => {
      proxy.delay(1_500);
    },
  };

  it.each(Object.keys(faults))('answers 503 in time where it %s', async (fault) => {
    const load = await underLoad([server], 8, async (answered) => {
      await answered(201, 10);
      await faults[fault]?.();
      await answered(503, 12);
      await eventually(async () => {
        const response = await server.http.get('/health/ready');
        expect([response.status, response.body]).toEqual([
          503,
          { msg: 'Not ready: database', code: 'not_ready' },
        ]);
      });
      await proxy.heal();
      await answered(201, 10);
    });
    expectOnlyUnavailable(load.answers);
    await expectNothingLost(server, load.acknowledged);
    // Attempts whose request gave up before them have an end as well.
    await eventually(() => {
      const { connections, idle, waiting } = server.app.get(Database).use;
      expect([waiting, connections - idle]).toEqual([0, 0]);
      expect(connections).toBeLessThanOrEqual(4);
    });
  });

  it('answers 503 where connections are cut again and again', async () => {
    const load = await underLoad([server], 8, async (answered) => {
      await answered(201, 5);
      const cutting = setInterval(proxy.cut, 100);
      await answered(503, 20).finally(() => {
        clearInterval(cutting);
      });
      await answered(201, 10);
    });
    expectOnlyUnavailable(load.answers);
    await expectNothingLost(server, load.acknowledged);
  });

  it('bears that an administrator ends its connections, in use and idle', async () => {
    const terminate = () =>
      server.withDatabase((db) =>
        db.query<{ pid: number }[]>(
          `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        ),
      );
    const load = await underLoad([server], 8, async (answered) => {
      await answered(201, 5);
      for (let round = 0; round < 4; round++) {
        await terminate();
        await answered(201, 2);
      }
    });
    expectOnlyUnavailable(load.answers);
    await server.login('client0');
    const ended = new Set((await terminate()).map(({ pid }) => pid));
    expect(ended.size).toBeGreaterThan(0);
    // The pool is never empty for long, because the server's work of each second opens new connections.
    const pool = (server.app.get(DataSource).driver as PostgresDriver).master as {
      _clients: { processID: number }[];
    };
    await eventually(() => {
      expect(pool._clients.filter(({ processID }) => ended.has(processID))).toEqual([]);
    });
    // The pool has seen it: not even one request fails.
    await server.login('client0');
    await expectNothingLost(server, load.acknowledged);
  });

  it('is not there when the server stops, which is no fault of the server', async () => {
    const wrong = { username: 'nobody', password: 'not the password' };
    await server.http.post('/login').send(wrong).expect(401);
    await proxy.refuse();
    await server.app.close();
    const last = server.log.filter(({ level }) => Number(level) >= 40);
    expect(last.map(({ level, context }) => [level, context])).toContainEqual([40, 'FailedLogins']);
    expect(last.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('gives no connection on whose answer is still to come', async () => {
    const database = server.app.get(Database);
    const ask = async (i: number) => {
      const [row] = await database.write((manager) =>
        manager.query<{ i: number; pid: number }[]>(
          `SELECT ${i}::int AS i, pg_backend_pid() AS pid`,
        ),
      );
      return row;
    };
    const before = await Promise.all(Array.from({ length: 4 }, (_, i) => ask(i)));
    proxy.delay(1_400);
    const late = await Promise.allSettled(Array.from({ length: 4 }, (_, i) => ask(i)));
    expect(late.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    proxy.delay(0);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(i)));
    expect(answers.map((row) => row?.i)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const closed = new Set(before.map((row) => row?.pid));
    expect(answers.filter((row) => closed.has(row?.pid))).toEqual([]);
  });

  it('says of a transaction that lost its connection between two statements that it is away', async () => {
    const database = server.app.get(Database);
    const ways: ((manager: EntityManager) => Promise<unknown>)[] = [
      (manager) => manager.query('SELECT 1'),
      (manager) => manager.findOneBy(User, { username: 'nobody' }),
      (manager) => manager.increment(User, { username: 'nobody' }, 'tokenVersion', 1),
    ];
    for (const goOn of ways) {
      const error = await database
        .transaction(async (manager) => {
          await manager.query('SELECT 1');
          const { connections } = database.use;
          proxy.cut();
          await eventually(() => {
            expect(database.use.connections).toBeLessThan(connections);
          });
          await goOn(manager);
        })
        .catch((reason: unknown) => reason);
      expect(toApiError(error)).toMatchObject({ status: 503, code: 'unavailable' });
    }
  });

  it('says of a commit whose answer is lost that it is in doubt', async () => {
    const database = server.app.get(Database);
    const { id } = await server.register('doubtful');
    const began = performance.now();
    const commit = database.transaction(async (manager) => {
      await manager.increment(User, { id }, 'tokenVersion', 1);
      proxy.silence();
    });
    const error = await commit.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(toApiError(error)).toMatchObject({ status: 503, code: 'unavailable' });
    expect(performance.now() - began).toBeLessThan(BOUND + SLACK);
    await proxy.heal();
    await server.login('doubtful');
  });

  it('answers 503 where a statement waits for a lock too long, and says so in one line', async () => {
    await server.register('waiting');
    await server.withDatabase((db) =>
      db.transaction(async (manager) => {
        await manager.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
        const login = { username: 'waiting', password: `${GOOD_PASSWORD} canary` };
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => server.http.post('/login').send(login)),
        );
        for (const { status, body, headers } of answers) {
          expect([status, body, headers['retry-after']]).toEqual([
            503,
            { msg: 'The service cannot do this right now', code: 'unavailable' },
            '5',
          ]);
        }
      }),
    );
    const lines = warnings(server);
    expect(lines).toHaveLength(8);
    for (const line of lines) {
      expect(Object.keys(line).sort()).toEqual(
        ['hostname', 'level', 'msg', 'pid', 'reason', 'reqId', 'time'].sort(),
      );
      expect(JSON.stringify(line)).not.toMatch(/SELECT|waiting|canary/);
    }
    expect(lines.map(({ reason }) => reason)).toContain('57014');
    await server.login('waiting');
  });
});

if (postgresPrograms !== undefined) {
  describe('PostgreSQL that stops', () => {
    let cluster: Cluster;
    let instances: Server[];
    beforeAll(async () => {
      cluster = await startCluster();
      const start = () =>
        startServer(() => Promise.resolve({ ...TIMES, DATABASE_URL: cluster.url }));
      instances = await Promise.all([start(), start()]);
    });
    afterAll(async () => {
      await Promise.all(instances.map((instance) => instance.stop()));
      await cluster.remove();
    });

    it('is lived through by two instances under load: a stop, and a power cut', async () => {
      const load = await underLoad(instances, 8, async (answered) => {
        for (const mode of ['fast', 'immediate'] as const) {
          await answered(201, 10);
          await cluster.stop(mode);
          await answered(503, 24);
          await cluster.start();
          await answered(201, 10);
        }
      });
      expectOnlyUnavailable(load.answers);
      for (server of instances) await expectNothingLost(server, load.acknowledged);
      await eventually(async () => {
        const listening = await server.withDatabase((db) =>
          db.query<object[]>(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'latchkey-listen'",
          ),
        );
        expect(listening).toHaveLength(instances.length);
      });
    });
  });
}
