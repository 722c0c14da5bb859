import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readyHeaders, ReadyResponse } from './ready-headers.js';

const FIXED = { 'cache-control': 'no-store', 'x-frame-options': 'SAMEORIGIN' };
const READY = readyHeaders(FIXED);

/** Returns the names and values of the headers that a client receives from `answer`. */
async function received(answer: (response: ServerResponse) => void): Promise<string[]> {
  const server = createServer(
    { ServerResponse: ReadyResponse },
    (_request: IncomingMessage, response: ReadyResponse) => {
      response.ready = READY;
      answer(response);
      response.end();
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { headers } = await fetch(`http://127.0.0.1:${port}`);
    const own = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding']);
    return [...headers].filter(([name]) => !own.has(name)).map((header) => header.join(': '));
  } finally {
    server.close();
  }
}

it('sends the ready headers beside the others', async () => {
  expect(await received((response) => response.writeHead(200, { ...FIXED, 'x-a': '1' }))).toEqual([
    'cache-control: no-store',
    'x-a: 1',
    'x-frame-options: SAMEORIGIN',
  ]);
});

it('sends a changed header once, and none that was removed', async () => {
  const rest = { 'cache-control': FIXED['cache-control'] };
  expect(await received((response) => response.writeHead(200, rest))).toEqual([
    'cache-control: no-store',
  ]);
  const changed = { ...FIXED, 'cache-control': 'no-cache' };
  expect(await received((response) => response.writeHead(200, changed))).toEqual([
    'cache-control: no-cache',
    'x-frame-options: SAMEORIGIN',
  ]);
});

it('lets the headers of the answer win over those that were set before', async () => {
  const headers = await received((response) => {
    response.setHeader('x-frame-options', 'DENY').setHeader('x-b', '2').writeHead(200, FIXED);
  });
  expect(headers).toEqual(['cache-control: no-store', 'x-b: 2', 'x-frame-options: SAMEORIGIN']);
});

it('sends no ready header that the answer does not name', async () => {
  expect(await received((response) => response.writeHead(200))).toEqual([]);
  expect(await received((response) => response.writeHead(200, 'OK', { 'x-a': '1' }))).toEqual([
    'x-a: 1',
  ]);
});

it('lets Node refuse a bad header beside the ready ones', async () => {
  const headers = await received((response) => {
    expect(() => response.writeHead(200, { ...FIXED, 'x-a': 'b\r\nx-c: d' })).toThrow('x-a');
    response.writeHead(200, FIXED);
  });
  expect(headers).toEqual(['cache-control: no-store', 'x-frame-options: SAMEORIGIN']);
});
