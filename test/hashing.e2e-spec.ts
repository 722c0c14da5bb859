import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import type { Piscina } from 'piscina';
import type { Response } from 'supertest';
import { ApiError } from '../src/common/api-error.js';
import { Metrics } from '../src/common/metrics.js';
import { HASH_MAX_WAIT, HashPool } from '../src/passwords/hash-pool.js';
import type { HashQueue } from '../src/passwords/hash-queue.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import { User } from '../src/users/user.entity.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

const ADA = { username: 'ada', password: GOOD_PASSWORD };
const OVERLOADED = {
  msg: 'Too many users are signing in; try again shortly',
  code: 'overloaded',
};
const UNAVAILABLE = { msg: 'The service cannot do this right now', code: 'unavailable' };

/** What a client sees of an answer. */
const shown = ({ status, body, headers }: Response) => [
  status,
  body as unknown,
  headers['retry-after'],
];

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** A server with one hashing thread and a user, and a look at what hashes in it. */
async function start(settings: Record<string, string> = {}, maxWait = 60) {
  const server = await startServer({ HASH_THREADS: '1', ...settings }, (builder) =>
    builder.overrideProvider(HASH_MAX_WAIT).useValue(maxWait),
  );
  servers.push(server);
  await server.register(ADA.username);
  const parts = server.app.get<unknown>(HashPool) as { queue: HashQueue; threads: Piscina };
  const metric = async (name: string): Promise<number> => {
    const text = await server.app.get(Metrics).registry.metrics();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return {
    ...server,
    ...parts,
    metric,
    post: (path: string, body: object) => server.http.post(path).send(body),

    /** Takes the only thread, and makes hashes seem to take that long, in seconds. */
    async occupy(hashTime = 0.001) {
      for (let i = 0; i < 50; i++) {
        await parts.queue.enter();
        parts.queue.leave(hashTime);
      }
      await parts.queue.enter();
    },

    /** Resolves when `name` has the value. */
    until: (name: string, value: number) =>
      until(async () => (await metric(name)) === value, `${name} ${value}`),
  };
}

const QUEUE = 'latchkey_hash_queue_length';
const refused = (reason: string) => `latchkey_hash_refused_total{reason="${reason}"}`;
const HASHED = 'latchkey_hash_seconds_count';
const WAITED = 'latchkey_hash_wait_seconds_count';

describe('a login, registration or new password that cannot be hashed in time', () => {
  it('is answered 503 when it has waited for the longest time, whoever it is for', async () => {
    const server = await start({}, 1);
    const { jwt } = await server.login('ada');
    const passwords = { current_password: GOOD_PASSWORD, new_password: `${GOOD_PASSWORD} too` };
    await server.occupy();
    const answers = await Promise.all([
      server.post('/login', ADA),
      server.post('/login', { ...ADA, username: 'nobody' }),
      server.post('/register', { ...ADA, username: 'grace' }),
      server.http.put('/me/password').auth(jwt, { type: 'bearer' }).send(passwords),
    ]);
    expect(answers.map(shown)).toEqual(answers.map(() => [503, OVERLOADED, '1']));
    expect(await server.metric(refused('wait'))).toBe(4);
    expect(await server.metric(QUEUE)).toBe(0);
    server.queue.leave();
    await server.login('ada');
    await server.post('/register', { ...ADA, username: 'grace' }).expect(201);
  });

  it('is answered 503 at once when the queue is longer than that', async () => {
    const server = await start();
    await server.occupy(40);
    const waiting = server.login('ada');
    await server.until(QUEUE, 1);
    const waited = await server.metric(WAITED);
    for (const [path, username] of [
      ['/login', 'ada'],
      ['/login', 'nobody'],
      ['/register', 'grace'],
    ] as const) {
      const answer = await server.post(path, { ...ADA, username });
      expect(shown(answer)).toEqual([503, OVERLOADED, '80']);
    }
    expect(await server.metric(refused('queue'))).toBe(3);
    expect(await server.metric(QUEUE)).toBe(1);
    expect(await server.metric(WAITED)).toBe(waited);
    server.queue.leave();
    await waiting;
  });

  it('hears of it later where its address does not heed Retry-After', async () => {
    const server = await start();
    await server.occupy(40);
    const waiting = server.login('ada');
    await server.until(QUEUE, 1);
    const refuse = async () => {
      const began = performance.now();
      const answer = await server.post('/login', ADA);
      expect(shown(answer)).toEqual([503, OVERLOADED, '80']);
      return performance.now() - began;
    };
    let ms = 0;
    for (let i = 0; i < 50; i++) ms += await refuse();
    // Held each, they would have taken this long at least.
    expect(ms).toBeLessThan(50 * 250);
    expect(await refuse()).toBeGreaterThan(240);
    server.queue.leave();
    await waiting;
  });

  it('makes no line of error in the log each', async () => {
    const server = await start({}, 1);
    await server.occupy(40);
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.post('/login', ADA)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    const loud = server.log.filter(({ level }) => Number(level) > 30);
    expect(loud.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'More passwords than can be hashed in time: 1 refused'],
    ]);
    server.queue.leave();
  });

  it('does not fail where only the renewal of the hash has no time', async () => {
    const server = await start({ BCRYPT_COST: '5' });
    const cheap = await start();
    const hashOf = (from: Server) =>
      from.withDatabase((db) => db.getRepository(User).findOneByOrFail({ usernameKey: 'ada' }));
    const { passwordHash } = await hashOf(cheap);
    await server.withDatabase((db) =>
      db.getRepository(User).update({ usernameKey: 'ada' }, { passwordHash }),
    );
    const passwords = server.app.get(PasswordsService);
    const hash = passwords.hash.bind(passwords);
    passwords.hash = () => Promise.reject(new ApiError('overloaded'));
    await server.login('ada');
    expect((await hashOf(server)).passwordHash).toBe(passwordHash);
    passwords.hash = hash;
    await server.login('ada');
    expect((await hashOf(server)).passwordHash).toMatch(/^\$2b\$05\$/);
  });
});

describe('a client that leaves', () => {
  it('is not hashed for, nor what it has pipelined', async () => {
    const server = await start();
    const hashed = await server.metric(HASHED);
    await server.occupy();
    const body = JSON.stringify(ADA);
    const request = [
      'POST /login HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    const socket = connect(server.port, '127.0.0.1');
    socket.write(request.repeat(20));
    // The others wait for the first one's answer.
    await server.until(QUEUE, 1);
    const patient = server.login('ada');
    await server.until(QUEUE, 2);
    socket.destroy();
    await server.until(QUEUE, 1);
    expect(await server.metric(refused('client'))).toBe(1);
    server.queue.leave();
    await patient;
    expect(await server.metric(HASHED)).toBe(hashed + 1);
    expect(server.log.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it('leaves the requests of other connections alone, and its own later ones', async () => {
    const server = await start();
    const left = connect(server.port, '127.0.0.1');
    await once(left, 'connect');
    left.destroy();
    for (let i = 0; i < 20; i++) await server.login('ada');
  });
});

describe('a hashing thread that dies', () => {
  /** Makes the threads run other code, as if a library in them had crashed. */
  const replaceWorker = (server: Awaited<ReturnType<typeof start>>, code: string) => {
    const { options } = server.threads;
    const original = options.filename;
    const file = join(server.database.dataDir, 'worker.mjs');
    writeFileSync(file, code);
    options.filename = file;
    return () => {
      options.filename = original;
    };
  };

  it.each([
    ['exits', 'export const bcryptCompare = () => process.exit(1);'],
    [
      'throws outside its work',
      'export const bcryptCompare = () => new Promise(() => setImmediate(() => { throw new Error("crash"); }));',
    ],
    [
      'runs out of memory',
      'export const bcryptCompare = () => { const a = []; for (;;) a.push(Array(1e6).fill(1.5)); };',
    ],
  ])('and %s takes its one job with it, and is replaced', async (_how, code) => {
    const server = await start();
    const restore = replaceWorker(server, code);
    const answers = await Promise.all([server.post('/login', ADA), server.post('/login', ADA)]);
    expect(answers.map(shown)).toEqual(answers.map(() => [503, UNAVAILABLE, '1']));
    expect(await server.metric('latchkey_hash_failed_total')).toBe(2);
    restore();
    await server.login('ada');
    expect(await server.metric(QUEUE)).toBe(0);
  });

  it('while it starts is not waited for', async () => {
    const server = await start();
    const restore = replaceWorker(server, 'process.exit(1);');
    await server.threads.threads[0]?.terminate();
    for (let i = 0; i < 2; i++) {
      expect(shown(await server.post('/login', ADA))).toEqual([503, UNAVAILABLE, '1']);
    }
    restore();
    await server.login('ada');
  });

  it('without work is replaced unnoticed', async () => {
    const server = await start();
    const [thread] = server.threads.threads;
    await thread?.terminate();
    await server.login('ada');
    expect(server.threads.threads).not.toContain(thread);
  });
});

describe('the hashing threads', () => {
  it('grow to HASH_THREADS under load, answer everybody, and are counted', async () => {
    // A hash takes long enough that the third thread is needed.
    const server = await start({ HASH_THREADS: '3', BCRYPT_COST: '9' });
    const hashed = await server.metric(HASHED);
    const answers = await Promise.all(Array.from({ length: 30 }, () => server.post('/login', ADA)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(server.threads.threads).toHaveLength(3);
    expect(await server.metric(HASHED)).toBe(hashed + 30);
    expect(await server.metric(WAITED)).toBe(hashed + 30);
    expect(await server.metric('latchkey_hash_seconds_sum')).toBeGreaterThan(0);
    expect(await server.metric(QUEUE)).toBe(0);
    expect(await server.metric(refused('queue'))).toBe(0);
  });

  it('end with the application, after what is under way', async () => {
    const server = await start();
    await server.occupy();
    const late = server.login('ada');
    await server.until(QUEUE, 1);
    const closed = server.app.close();
    server.queue.leave();
    await expect(late).resolves.toBeDefined();
    await closed;
    expect(server.threads.threads).toEqual([]);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('have the priority of the rest', async () => {
    await start();
    const nice = readdirSync('/proc/self/task').map((thread) => {
      const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1];
      return Number(fields?.split(' ')[16]);
    });
    // At a lower priority, another busy process would take more than its share from logins.
    expect(new Set(nice)).toEqual(new Set([getPriority()]));
  });
});
