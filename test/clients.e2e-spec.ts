import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { freshDatabase, type FreshDatabase } from './support/databases.js';
import { ask, bearer } from './support/http.js';
import { processes, type ServerProcess } from './support/server-process.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import { until } from './support/wait.js';

/** The heap that the server may use, in megabytes. docs/monitoring.md states it. */
const HEAP = Number(process.env.HEAP ?? 320);
/**
 * The bound for the memory of the process, in megabytes. docs/monitoring.md states it. It holds the heap,
 * 64 MiB for clients, 10,000 connections, and the program itself with its threads. Node 24 takes about 80 MB more
 * than Node 20.
 */
const BOUND = 700;
const IDLE = 10_000;

const server = processes();
let database: FreshDatabase;
let running: ServerProcess;
let url: URL;
let authorization: string;
const open = new Set<Socket>();

beforeAll(async () => {
  database = await freshDatabase({ migrated: true });
  running = server.start(
    database.dataDir,
    {
      HOST: '127.0.0.1',
      NODE_ENV: 'test',
      DATA_DIR: database.dataDir,
      DATABASE_URL: database.url,
      JWT_SECRET_KEY: SECRET,
      HASH_THREADS: '1',
    },
    [`--max-old-space-size=${HEAP}`, resolve('test/support/large-answers.js')],
  );
  url = new URL(await running.listening);
  const user = { username: 'ada', password: GOOD_PASSWORD };
  await ask(url.origin, 'POST', '/register', user);
  const login = await ask<{ jwt: string }>(url.origin, 'POST', '/login', user);
  authorization = bearer(login.body.jwt);
});

afterAll(async () => {
  agent.destroy();
  for (const socket of open) socket.destroy();
  await server.killAll();
  await database.drop();
});

/** A connection that sends `bytes` and reads nothing. */
async function deaf(bytes = ''): Promise<Socket> {
  const socket = connect(Number(url.port), '127.0.0.1');
  open.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => open.delete(socket));
  socket.pause();
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}

const request = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');

/** Requests that fill 64 KiB. */
const flood = (path: string): string =>
  request(path).repeat(Math.ceil(65_536 / request(path).length));

/** Returns the value of a metric of the server. The request waits as long as that of any other client. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  return Number(new RegExp(`^${name} ([\\d.]+)$`, 'm').exec(text)?.[1]);
}

/** The memory of the process, in megabytes. */
const memory = async (): Promise<number> =>
  (await metric('process_resident_memory_bytes')) / 2 ** 20;

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/**
 * Returns how many requests to `/protected` the server answers to eight clients, for each second of its
 * processor time. Other programs of the machine slow it down, and do not change this number. Every seventh
 * answer, `meanwhile` is called: an attack at a fixed time would weigh more on a slow machine.
 */
async function speed(meanwhile: () => void): Promise<number> {
  let answered = 0;
  const before = await metric('process_cpu_seconds_total');
  const end = performance.now() + 1000;
  const client = async () => {
    while (performance.now() < end) {
      const response = await new Promise<IncomingMessage>((found, failed) => {
        httpGet(new URL('/protected', url), { agent, headers: { authorization } }, found).on(
          'error',
          failed,
        );
      });
      expect(response.statusCode).toBe(200);
      response.resume();
      await once(response, 'end');
      if (++answered % 7 === 0) meanwhile();
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return answered / ((await metric('process_cpu_seconds_total')) - before);
}

/** Returns the best of some rounds: a collection of garbage makes a round slower, and no round faster. */
async function best(rounds: number, meanwhile = (): void => undefined): Promise<number> {
  const speeds: number[] = [];
  for (let i = 0; i < rounds; i++) speeds.push(await speed(meanwhile));
  return Math.max(...speeds);
}

it('ends the connection of a client that reads nothing for 30 s, and of no other', async () => {
  const slow = await deaf(request('/large/stream'));
  const reader = await deaf(request('/large/stream'));
  let size = 0;
  reader.on('data', (chunk: Buffer) => (size += chunk.length));
  // It reads a little now and then, for longer than the other is given.
  const reads = setInterval(() => {
    reader.resume();
    setTimeout(() => reader.pause(), 5);
  }, 1000);
  try {
    const left = async () => {
      const text = await (await fetch(new URL('/metrics', url))).text();
      const ended = /route="\/large\/stream",status="499"\} (\d+)/.exec(text)?.[1];
      return Number(ended ?? 0);
    };
    const before = await left();
    await until(async () => (await left()) !== before, 'a client that is cut off');
    expect(await left()).toBe(before + 1);
    expect(reader.destroyed).toBe(false);
    clearInterval(reads);
    reader.resume();
    while (size < 2 ** 24) await once(reader, 'data');
  } finally {
    clearInterval(reads);
    slow.destroy();
  }
}, 120_000);

it('keeps its memory under the bound, and serves others, whatever clients leave undone', async () => {
  await best(2);
  const calm = await best(8);

  // Pipelined requests whose answers are not read: fixed texts, a project's own, streams, bad addresses.
  for (const path of ['/openapi.json', '/openapi.yaml', '/large/text', '/large/stream', '/%zz']) {
    await Promise.all(Array.from({ length: 60 }, () => deaf(flood(path))));
    expect(await memory()).toBeLessThan(BOUND);
  }
  // Slow readers of one large answer each.
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 40 }, () => deaf(request('/large/text'))));
    expect(await memory()).toBeLessThan(BOUND);
  }
  // Half-open: a part of a request, and then nothing.
  await Promise.all(Array.from({ length: 500 }, () => deaf('GET /protected HTTP/1.1\r\nX: ')));
  // Ten thousand that asked once, and stay.
  for (let i = 0; i < IDLE; i += 200) {
    await Promise.all(Array.from({ length: 200 }, () => deaf(request('/health/live'))));
  }
  expect(await memory()).toBeLessThan(BOUND);
  // Bodies that trickle, a byte at a time.
  const head = ['POST /login HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
  const trickling = await Promise.all(
    Array.from({ length: 300 }, () =>
      deaf([...head, 'Content-Length: 60000', '', '{'].join('\r\n')),
    ),
  );
  let sent = 0;
  const under = await best(8, () => trickling[sent++ % trickling.length]?.write(' '));
  expect(await memory()).toBeLessThan(BOUND);
  expect(under / calm).toBeGreaterThan(0.5);
  expect(running.child.exitCode).toBeNull();
}, 300_000);
