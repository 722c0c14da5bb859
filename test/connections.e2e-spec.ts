import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Controller, Get, Module, Req, Res, StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientMemory } from '../src/common/client-memory.js';
import { type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

const MEGABYTE = 1024 * 1024;
const CRLF = '\r\n';

/** How many answers of each kind were begun. */
const begun = { large: 0, stream: 0, raw: 0 };

/** Routes of a project's own whose answers are large. */
@Controller('large')
class LargeController {
  @Get('text')
  text(@Req() { query }: FastifyRequest): string {
    begun.large++;
    return ((query as { n?: string }).n ?? '').padEnd(MEGABYTE / 2, '.');
  }

  @Get('stream')
  stream(): StreamableFile {
    begun.stream++;
    const pieces = function* () {
      for (let i = 0; i < 16; i++) yield Buffer.alloc(MEGABYTE / 16, 'x');
    };
    return new StreamableFile(Readable.from(pieces()));
  }

  /** Writes without asking whether the client reads, as no route should. */
  @Get('raw')
  raw(@Res() reply: FastifyReply): void {
    begun.raw++;
    reply.hijack();
    reply.raw.writeHead(200, { 'content-length': 8 * MEGABYTE });
    for (let i = 0; i < 8; i++) reply.raw.write(Buffer.alloc(MEGABYTE, 'x'));
    reply.raw.end();
  }
}

@Module({ controllers: [LargeController] })
class LargeModule {}

let server: Server;
beforeAll(async () => {
  server = await startServer({}, undefined, [LargeModule]);
});
afterAll(() => server.stop());

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** A connection that reads nothing until it is told to. */
async function client(port = server.port): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  socket.pause();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const get = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join(CRLF);

/** All that comes until the server closes the connection. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** Some requests of others: the server has done by then what it does at once. */
async function others(): Promise<void> {
  for (let i = 0; i < 5; i++) await server.http.get('/health/live').expect(200);
}

describe('pipelined requests', () => {
  it('are begun only as fast as the client reads the answers, and answered in order', async () => {
    const socket = await client();
    begun.large = 0;
    const numbers = Array.from({ length: 40 }, (_, i) => String(i));
    const last = get('/health/live', 'Connection: close');
    socket.write(numbers.map((n) => get(`/large/text?n=${n}`)).join('') + last);
    await until(() => begun.large > 0, 'an answer that begins');
    await others();
    // The others wait: the kernel takes some megabytes, and the server keeps one answer.
    expect(begun.large).toBeLessThan(25);
    const text = await readAll(socket);
    expect(text.match(/(?<=\r\n\r\n)\d+(?=\.)/g)).toEqual(numbers);
    expect(text.endsWith('{"status":"ok"}')).toBe(true);
  });

  it('are streamed one after another as well', async () => {
    const socket = await client();
    begun.stream = 0;
    socket.write(get('/large/stream').repeat(20) + get('/health/live', 'Connection: close'));
    await until(() => begun.stream > 0, 'an answer that begins');
    await others();
    expect(begun.stream).toBeLessThan(15);
    const text = await readAll(socket);
    expect([begun.stream, text.match(/HTTP\/1.1 200/g)?.length]).toEqual([20, 21]);
  });

  it('are parsed one at a time, and the others wait as bytes', async () => {
    let parsed = 0;
    const http = server.app.getHttpServer();
    const count = () => parsed++;
    http.on('request', count);
    const socket = await client();
    const flood = get('/health/live').repeat(1400);
    socket.write(get('/large/stream').repeat(10) + flood);
    await until(() => clientMemory.bytes > flood.length, 'requests that wait');
    await others();
    expect(parsed).toBeLessThan(10 + 5);
    http.off('request', count);
    expect(clientMemory.bytes).toBeLessThan(MEGABYTE);
    socket.destroy();
    await until(() => clientMemory.bytes === 0, 'memory that is let go');
  });

  it('past 128 end the connection, after the answers to those before', async () => {
    const before = server.log.length;
    const socket = await client();
    socket.write(get('/health/live').repeat(500));
    const text = await readAll(socket);
    await others();
    const lines = server.log.slice(before).map(({ msg, status }) => [msg, status]);
    expect(lines).toEqual(Array(129 + 5).fill(['request', 200]));
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(129);
    expect(text.toLowerCase().match(/connection: close/g)).toHaveLength(1);
  });

  it('are answered after a body, wherever the pieces of it end', async () => {
    const body = JSON.stringify({ username: 'x', password: '\r\n\r\n' });
    const login = ['POST /login HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
    const text = [
      ...login,
      `Content-Length: ${body.length}`,
      '',
      body + login.join(CRLF),
      'Transfer-Encoding: chunked',
      '',
      body.length.toString(16),
      body,
      '0',
      '',
      get('/health/live', 'Connection: close'),
    ].join(CRLF);
    for (const size of [1, 3, 7, 40, 150, 1000]) {
      const socket = await client();
      socket.setNoDelay(true);
      for (let i = 0; i < text.length; i += size) {
        socket.write(text.slice(i, i + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const answers = (await readAll(socket)).match(/(?<=HTTP\/1.1 )\d+/g);
      expect(answers).toEqual(['401', '401', '200']);
    }
  });

  it('past 64 KiB ahead of their turn cut the client off, whatever they ask for', async () => {
    for (const flood of [get('/%zz'), 'GET / HTTP/1.1\r\n\r\n', get('/health/live')]) {
      const socket = await client();
      socket.write(get('/large/text').repeat(20));
      const before = await connections();
      socket.write(flood.repeat(4000));
      await until(async () => (await connections()) < before, 'a connection that ends');
    }
  });
});

/** How many connections the server holds. */
async function connections(): Promise<number> {
  const http = server.app.getHttpServer();
  return new Promise((resolve, reject) => {
    http.getConnections((error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

describe('answers that clients do not read', () => {
  it('are counted, and let go when the client reads or leaves', async () => {
    expect(clientMemory.bytes).toBe(0);
    const reader = await client();
    reader.write(get('/large/raw', 'Connection: close'));
    await until(() => clientMemory.bytes > MEGABYTE, 'an answer that waits');
    const text = await readAll(reader);
    expect(text.length).toBeGreaterThan(8 * MEGABYTE);
    expect(clientMemory.bytes).toBe(0);
    const leaver = await client();
    leaver.write(get('/large/raw'));
    await until(() => clientMemory.bytes > MEGABYTE, 'an answer that waits');
    leaver.destroy();
    await until(() => clientMemory.bytes === 0, 'memory that is let go');
  });

  it('are bounded together: the clients that have waited the longest are cut off', async () => {
    begun.raw = 0;
    const sockets = [];
    for (let i = 0; i < 24; i++) {
      const socket = await client();
      socket.write(get('/large/raw'));
      sockets.push(socket);
      await until(() => begun.raw === i + 1, 'an answer that begins');
      expect(clientMemory.bytes).toBeLessThanOrEqual(64 * MEGABYTE);
    }
    await others();
    // Those that came last get their answer; of the first one the server keeps nothing.
    const [first, last] = [sockets[0], sockets.at(-1)];
    if (!first || !last) throw new Error('no client');
    expect((await readAll(first)).length).toBeLessThan(8 * MEGABYTE);
    let size = 0;
    last.on('data', (chunk: Buffer) => (size += chunk.length));
    last.resume();
    await until(() => size > 8 * MEGABYTE, 'a whole answer');
  });
});

it('an answer that a client reads slowly is complete, although the server stops', async () => {
  const other = await startServer({}, undefined, [LargeModule]);
  const socket = await client(other.port);
  socket.write(get('/large/raw'));
  await until(() => clientMemory.bytes > MEGABYTE, 'an answer that waits');
  const since = performance.now();
  const stopped = other.stop();
  await until(() => !other.app.getHttpServer().listening, 'a stop');
  const text = await readAll(socket);
  expect(text.length).toBeGreaterThan(8 * MEGABYTE);
  await stopped;
  expect(performance.now() - since).toBeLessThan(4_000);
});

describe('bodies that arrive slowly', () => {
  it('are counted until they are complete', async () => {
    const socket = await client();
    const body = JSON.stringify({ username: 'x'.repeat(1000), password: 'y' });
    socket.write(
      ['POST /login HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Connection: close']
        .concat(`Content-Length: ${body.length}`, '', body.slice(0, 500))
        .join(CRLF),
    );
    await until(() => clientMemory.bytes === 500, 'half of a body');
    socket.write(body.slice(500));
    expect(await readAll(socket)).toContain('HTTP/1.1 401');
    expect(clientMemory.bytes).toBe(0);
  });
});

it('a request by inject(), without a connection, leaves the count right', async () => {
  const payload = { username: 'x', password: 'y' };
  const { statusCode } = await server.app.inject({ method: 'POST', url: '/login', payload });
  expect(statusCode).toBe(401);
  expect(clientMemory.bytes).toBe(0);
});

it('no header is left out, however many there are', async () => {
  const socket = await client();
  const many = Array<string>(1200).fill('a:');
  socket.write(get('/health/live', 'Connection: close', ...many, 'Host: y'));
  expect(await readAll(socket)).toMatch(/^HTTP\/1.1 400 /);
});
