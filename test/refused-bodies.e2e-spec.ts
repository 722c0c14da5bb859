import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe('a client that sends on after the refusal of a body', () => {
  const OPEN = ['Host: x', 'Content-Type: application/json', 'Transfer-Encoding: chunked', '', ''];
  const BEGINNING = ['POST /login HTTP/1.1', ...OPEN].join('\r\n');
  const CHUNK = `10000\r\n${'x'.repeat(65_536)}\r\n`;

  /** Opens a connection, and collects what it gets. */
  async function client(allowHalfOpen = false) {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen });
    const got = { socket, text: '' };
    socket.on('data', (data) => (got.text += data.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return got;
  }

  /** Sends 10 MB in pieces. Resolves to the status, or to the error of a broken connection. */
  const sendAll = (path: string, type: string, letter: string): Promise<number | string> =>
    new Promise((resolve) => {
      const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin' };
      const sending = request(server.url + path, { method: 'POST', headers }, (answer) => {
        answer.resume().once('end', () => {
          resolve(answer.statusCode ?? 0);
        });
      });
      sending.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message);
      });
      const piece = letter.repeat(16_384);
      Readable.from(Array.from({ length: 610 }, () => piece)).pipe(sending);
    });

  it.each([
    ['/login', 'application/json'],
    ['/login', 'text/plain'],
    ['/sign-in', 'application/x-www-form-urlencoded'],
    ['/account/verify-email', 'application/x-www-form-urlencoded'],
  ])('hears the refusal, at POST %s with %s of 10 MB', async (path, type) => {
    const tries = await Promise.all(Array.from({ length: 20 }, () => sendAll(path, type, 'x')));
    expect(tries).toEqual(tries.map(() => 413));
  });

  it('hears it of JSON that nests too deeply, too', async () => {
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => sendAll('/login', 'application/json', '[')),
    );
    expect(tries).toEqual(tries.map(() => 400));
  });

  it.each([
    ['', ''],
    [
      ' on a connection that has sent requests ahead',
      'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    ],
  ])('meets no reset, however late it sends the rest%s', async (_where, ahead) => {
    // It goes on after the end of the answer.
    const got = await client(true);
    const { socket } = got;
    const errors: string[] = [];
    socket.on('error', ({ message }) => errors.push(message));
    socket.write(ahead.repeat(3));
    await until(() => (got.text.match(/"ok"/g)?.length ?? 0) === ((ahead && 3) || 0), 'answers');
    socket.write(BEGINNING + CHUNK + CHUNK);
    await until(() => got.text.includes('413'), 'the refusal');
    for (let i = 0; i < 100; i++) await new Promise((resolve) => socket.write(CHUNK, resolve));
    socket.end('0\r\n\r\n');
    await once(socket, 'close');
    expect(errors).toEqual([]);
  });

  it('hears the refusal of an expectation', async () => {
    const got = await client(true);
    const errors: string[] = [];
    got.socket.on('error', ({ message }) => errors.push(message));
    got.socket.write(BEGINNING.replace('Host', 'Expect: all\r\nHost'));
    for (let i = 0; i < 100; i++) await new Promise((resolve) => got.socket.write(CHUNK, resolve));
    got.socket.end('0\r\n\r\n');
    await once(got.socket, 'close');
    expect(got.text.match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(['417']);
    expect(errors).toEqual([]);
  });

  it('gets no second answer if the rest is no body', async () => {
    const got = await client();
    got.socket.write(BEGINNING.replace('Host', 'Host: y\r\nHost'));
    await once(got.socket, 'data');
    got.socket.write('no length\r\n');
    await once(got.socket, 'close');
    expect(got.text.match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(['400']);
  });

  it('is cut off after a bounded number of bytes', async () => {
    const { socket } = await client();
    socket.write(BEGINNING);
    let sent = 0;
    while (!socket.destroyed && sent < 4_096) {
      if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      sent++;
    }
    expect(socket.destroyed).toBe(true);
  });

  it('is cut off soon when it sends no more', async () => {
    const idle = await client();
    const since = performance.now();
    idle.socket.write(BEGINNING + CHUNK + CHUNK);
    await once(idle.socket, 'close');
    expect(idle.text).toMatch(/^HTTP\/1\.1 413 [^]*"code":"body_too_large"/);
    expect(performance.now() - since).toBeLessThan(8_000);
  });

  it('gets no answer to a request behind it, which is not carried out', async () => {
    const { socket, ...got } = await client();
    const before = server.log.length;
    socket.write(BEGINNING + CHUNK + CHUNK);
    await once(socket, 'data');
    const next = 'POST /logout HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    socket.write(`0\r\n\r\n${next.repeat(3)}`);
    await once(socket, 'close');
    expect(got.text.match(/HTTP\/1\.1/g) ?? []).toHaveLength(0);
    await server.http.get('/health/live').expect(200);
    const lines = server.log.slice(before).filter(({ msg }) => msg === 'request');
    expect(lines.map(({ route }) => route)).toEqual(['/login', '/health/live']);
  });
});
