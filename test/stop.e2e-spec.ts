import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import request from 'supertest';
import type { FreshDatabase } from './support/databases.js';
import { freshMachine, localhosts, type Machine } from './support/instances.js';
import { GOOD_PASSWORD } from './support/server.js';
import { until } from './support/wait.js';

let machine: Machine;
let database: FreshDatabase;
beforeEach(async () => {
  machine = await freshMachine();
  ({ database } = machine);
});
afterEach(() => machine.end());

const start = (env: Record<string, string>) => machine.start(env);

const user = { username: 'ada', password: GOOD_PASSWORD };

it.each(localhosts)(
  'on SIGTERM finishes what runs by %s, refuses what is new, and exits 0',
  async (address) => {
    const server = start({
      DATABASE_URL: database.url,
      BCRYPT_COST: '10',
      HASH_THREADS: '1',
    });
    const { port } = new URL(await server.listening);
    const url = `http://${address}:${port}`;
    // A connection that was never used must not hold the stop up until it is cut.
    const unused = connect(Number(port), address.replace(/[[\]]/g, ''));
    await once(unused, 'connect');
    const closed = once(unused, 'close').then(() => 'closed');
    const running = Array.from({ length: 4 }, (_, i) =>
      request(url)
        .post('/register')
        .send({ ...user, username: `late${i}` }),
    );
    const answers = Promise.all(running.map((test) => test.then(({ status }) => status)));
    // All four are in: one runs, and the others wait or are done.
    await until(async () => (await passwordsSeen(url)) >= 3, 'three passwords');
    const began = performance.now();
    server.child.kill('SIGTERM');
    expect(await Promise.race([closed, answers])).toBe('closed');
    expect(await answers).toEqual([201, 201, 201, 201]);
    const { code, output } = await server.exit;
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(output).toContain('"stopped"');
    await expect(request(url).get('/health/live')).rejects.toThrow('ECONNREFUSED');
  },
);

/** How many passwords the server at `url` has hashed or has in its queue. */
async function passwordsSeen(url: string): Promise<number> {
  const { text } = await request(url).get('/metrics').expect(200);
  const found = text.matchAll(/^latchkey_hash_(?:queue_length|seconds_count) (\d+)$/gm);
  return [...found].reduce((sum, [, value]) => sum + Number(value), 0);
}

it('turns not ready SHUTDOWN_DELAY before it stops on SIGTERM, and serves meanwhile', async () => {
  const server = start({ DATABASE_URL: database.url, SHUTDOWN_DELAY: '5s' });
  const url = await server.listening;
  await request(url).get('/health/ready').expect(200);
  server.child.kill('SIGTERM');
  let statuses: number[] = [];
  while (statuses.at(-1) !== 503) {
    statuses = [...statuses, (await request(url).get('/health/ready')).status];
  }
  expect(new Set(statuses.slice(0, -1)).size).toBeLessThanOrEqual(1);
  const { body } = (await request(url).get('/health/ready')) as { body: unknown };
  expect(body).toEqual({ msg: 'Not ready: shutdown', code: 'not_ready' });
  await request(url).get('/health/live').expect(200);
  // A connection of its own is still let in.
  await request(url).post('/register').send(user).expect(201);
  const { code, output } = await server.exit;
  expect(code).toBe(0);
  expect(output).toMatch(/not ready from now on, stopping in 5 s/);
});

it.each([
  ['a second SIGTERM stops at once', 'SIGTERM', 1],
  ['Ctrl-C waits for no delay', 'SIGINT', 0],
] as const)('where %s', async (_what, signal, expected) => {
  const server = start({ DATABASE_URL: database.url, SHUTDOWN_DELAY: '5m' });
  await server.listening;
  server.child.kill(signal);
  if (signal === 'SIGTERM') {
    await until(() => server.output().includes('not ready from now on'), 'the delay');
    // The same signal at once is that of a supervisor that sends it to all processes.
    while (server.child.exitCode === null) {
      server.child.kill(signal);
      await setTimeout(100);
    }
  }
  const { code } = await server.exit;
  expect(code).toBe(expected);
});

it('stops during the start, and says so', async () => {
  const server = start({ DATABASE_URL: database.url });
  await until(() => server.output().includes('jwt-secret'), 'a secret');
  server.child.kill('SIGTERM');
  const { code, output } = await server.exit;
  expect(code).toBe(0);
  expect(output).toContain('SIGTERM during the start: stopped');
});

// A process that is held up, by others on its machine or by a long task, finds the signal and the requests at once.
it.each(localhosts)('answers what has reached %s before the signal was seen', async (address) => {
  const server = start({ DATABASE_URL: database.url });
  const { port } = new URL(await server.listening);
  const open = async () => {
    const socket = connect(Number(port), address.replace(/[[\]]/g, ''));
    await once(socket, 'connect');
    return socket;
  };
  const get = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const used = await open();
  used.write(get);
  await once(used, 'data');
  server.child.kill('SIGSTOP');
  const sockets = [used, ...(await Promise.all(Array.from({ length: 20 }, open)))];
  const answers = sockets.map(async (socket) => {
    socket.write(get);
    return (await text(socket)).split('\r\n')[0];
  });
  server.child.kill('SIGTERM');
  server.child.kill('SIGCONT');
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
  expect((await server.exit).code).toBe(0);
});
