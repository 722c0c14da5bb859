import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connectionOf, CountedResponse } from './connections.js';

/** A connection to a server without a network: every piece arrives exactly as it is cut. */
class Wire extends Duplex {
  /** The requests that the server saw, with their bodies, and the error that ended them. */
  readonly seen: string[][] = [];
  answers = '';

  constructor(private readonly isSlow: boolean) {
    super({ allowHalfOpen: true });
    this.on('error', () => undefined);
  }

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.answers += chunk.toString('latin1');
    if (this.isSlow) setImmediate(done);
    else done();
  }

  setTimeout(): this {
    return this;
  }
}

const wireOf = ({ socket }: IncomingMessage): Wire => socket as unknown as Wire;

/** Answers when the body is complete. An address with `early` is answered at once. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const row: [string, string, string] = [`${request.method} ${url}`, '', 'incomplete'];
  wireOf(request).seen.push(row);
  const end = () => response.setHeader('x-url', url).end(url);
  request.on('data', (chunk: Buffer) => (row[1] += chunk.toString('latin1')));
  request.on('error', () => undefined);
  request.on('end', () => {
    row[2] = 'complete';
    if (!url.includes('early')) setImmediate(end);
  });
  if (url.includes('early')) end();
}

function onErrors(server: Server): Server {
  return server.on('clientError', ({ code }: NodeJS.ErrnoException, socket: Duplex) => {
    const wire = socket as Wire;
    // The answer before said that the connection is closed, and the feed has dropped the rest.
    if (wire.writable && code !== 'HPE_CLOSED_CONNECTION') wire.seen.push([code ?? '']);
    wire.end();
  });
}

const options = { requireHostHeader: false };
/** Node's own server. */
const plain = onErrors(createServer(options, answer));
const fed = onErrors(createServer({ ...options, ServerResponse: CountedResponse }));
fed.on('connection', connectionOf);
fed.on('request', answer);

/** Sends `pieces` and waits until the server does nothing more. `gap`: the server works between two pieces. */
async function send(server: Server, pieces: Buffer[], gap = false, isSlow = false): Promise<Wire> {
  const wire = new Wire(isSlow);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  server.emit('connection', wire as unknown as Socket);
  await turn();
  for (const piece of pieces) {
    wire.push(piece);
    if (gap) await turn();
  }
  let before = '';
  for (let quiet = 0; quiet < 6; quiet++) {
    await turn();
    const state = JSON.stringify([wire.seen, wire.answers.length]);
    if (state !== before) quiet = 0;
    before = state;
  }
  wire.destroy();
  return wire;
}

beforeAll(async () => {
  // A client of the network has no fields of a wire.
  const asWire = (socket: Socket) => {
    if (!(socket instanceof Wire)) Object.assign(socket, { seen: [], answers: '' });
  };
  fed.prependListener('connection', asWire).listen(0, '127.0.0.1');
  await once(fed, 'listening');
});
afterAll(() => fed.close());

/** Sends `pieces` by the network, where the parser reads by itself, and waits until `isDone`. */
async function sendByNetwork(
  pieces: Buffer[],
  gap: boolean,
  isDone: (wire: Pick<Wire, 'seen' | 'answers'>) => boolean,
): Promise<Pick<Wire, 'seen' | 'answers'>> {
  const client = connect({ port: (fed.address() as AddressInfo).port, noDelay: true });
  const [socket] = (await once(fed, 'connection')) as [Wire];
  const wire = { seen: socket.seen, answers: '' };
  client.on('error', () => undefined);
  client.on('data', (chunk: Buffer) => (wire.answers += chunk.toString('latin1')));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (const piece of pieces) {
    client.write(piece);
    if (gap) await turn();
  }
  const end = performance.now() + 5_000;
  while (!isDone(wire) && performance.now() < end) await turn();
  for (let i = 0; i < 5; i++) await turn();
  client.destroy();
  return wire;
}

const lines = (...all: string[]): string => all.join('\r\n');
const urls = ({ answers }: Pick<Wire, 'answers'>) => answers.match(/(?<=x-url: )\S+/g) ?? [];

it('loses no bytes behind a request with Upgrade, wherever its headers and its body end', async () => {
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade'];
  const hidden = lines('GET /hidden HTTP/1.1', '', '');
  const text = [
    lines('GET /1 HTTP/1.1', ...upgrade, '', ''),
    lines('POST /2 HTTP/1.1', ...upgrade, 'Content-Length: 3', '', 'abc'),
    lines('POST /3 HTTP/1.1', ...upgrade, 'Transfer-Encoding: chunked', '', '1', 'a', '0', '', ''),
    lines('POST /4 HTTP/1.1', `Content-Length: ${hidden.length}`, '', hidden),
  ].join('');
  const seen = [
    ['GET /1', '', 'complete'],
    ['POST /2', 'abc', 'complete'],
    ['POST /3', 'a', 'complete'],
    ['POST /4', hidden, 'complete'],
  ];
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at++) {
    const wire = await send(fed, [bytes.subarray(0, at), bytes.subarray(at)]);
    expect(wire.seen).toEqual(seen);
    expect(urls(wire)).toEqual(['/1', '/2', '/3', '/4']);
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    const sent = await sendByNetwork(pieces, true, (all) => urls(all).length === 4);
    expect([sent.seen, urls(sent)]).toEqual([seen, ['/1', '/2', '/3', '/4']]);
  }
});

it('gives another protocol all bytes behind the headers, in their order', async () => {
  const head = lines('GET / HTTP/1.1', 'Upgrade: echo', 'Connection: Upgrade', '', '');
  const data = lines('one', '', 'two', '', 'three');
  const bytes = Buffer.from(head + data);
  let text = '';
  const echo = (_request: IncomingMessage, socket: Duplex, first: Buffer): void => {
    // As the package ws does it.
    if (first.length > 0) socket.unshift(first);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  };
  fed.on('upgrade', echo);
  for (let at = 1; at < bytes.length; at++) {
    text = '';
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    await send(fed, pieces);
    expect(text).toBe(data);
    text = '';
    await sendByNetwork(pieces, true, () => text.length === data.length);
    expect(text).toBe(data);
  }
  fed.off('upgrade', echo);
});

/** Mulberry32: random numbers that are the same each time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Parts of bodies that look like something else. */
const PARTS = [
  ...['', 'a', '\r', '\n', '\r\n', '\r\n\r\n', '0\r\n\r\n', '5\r\nhello\r\n', 'HTTP/1.1\r\n\r\n'],
  lines('GET /hidden HTTP/1.1', 'Host: x', '', ''),
  lines('POST /hidden HTTP/1.1', 'Content-Length: 3', '', 'abc'),
];

/** Pipelined requests, some of them wrong. */
function pipeline(random: (below: number) => number): string {
  const pick = (all: readonly string[]): string => all[random(all.length)] ?? '';
  const rarely = (times: number, ...all: string[]) => (random(times) === 0 ? pick(all) : '');
  const body = () => Array.from({ length: random(5) }, () => pick(PARTS)).join('');
  const chunk = (): string => {
    const data = body() || 'x';
    const size = rarely(30, '0', '+', ' ', '0x', 'fffffffffffffffff') + data.length.toString(16);
    return lines(size + rarely(8, ';a=b', ';a="b c"', ' ;', ';;'), data, '');
  };
  const request = (_: unknown, n: number): string => {
    const [headers, content] = [['Host: x'], body()];
    let end = '';
    if (random(4) === 0) headers.push('Upgrade: h2c', 'Connection: Upgrade');
    headers.push(rarely(20, 'A: b\r\n c', 'A : b', 'A: b\nC: d', 'A:', 'Connection: close'));
    const kind = random(8);
    if (kind < 3) {
      headers.push(`Content-Length: ${rarely(30, '0', '+', '-')}${content.length}`);
      end = content;
    }
    if (kind === 3 || kind === 4 || random(50) === 0) {
      headers.push(`Transfer-Encoding: ${rarely(20, 'gzip, ', 'x', '\t')}chunked`);
      const chunks = Array.from({ length: random(3) }, chunk).join('');
      end = `${chunks}0${rarely(9, ';x', '0')}\r\n${rarely(5, 'T: v\r\n', 'T:\r\n')}\r\n`;
    }
    const [method, early] = [pick(['GET', 'POST', 'HEAD', 'PUT']), rarely(9, '-early')];
    const start = `${rarely(9, '\r\n', '\r\n\r\n\r\n', '\n')}${method} /${n}${early} HTTP/1.1`;
    return lines(start, ...headers.filter((line) => line !== ''), '', end);
  };
  const text = Array.from({ length: 1 + random(6) }, request).join('');
  const at = random(text.length);
  return random(10) > 0 ? text : text.slice(0, at) + pick(['\r', '\n', '\0', 'x']) + text.slice(at);
}

it('never disagrees with the parser about where a request ends', async () => {
  for (let seed = 1; seed <= 250; seed++) {
    const random = randomOf(seed);
    const bytes = Buffer.from(pipeline(random), 'latin1');
    const most = [1, 9, 200, 10_000][random(4)] ?? 1;
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) {
      pieces.push(bytes.subarray(at, at + 1 + random(most)));
    }
    const single = Array.from(bytes, (byte) => Buffer.of(byte));
    const expected = await send(plain, single);
    const wire = await send(fed, pieces, random(2) === 0, random(3) === 0);
    expect({ seed, seen: wire.seen }).toEqual({ seed, seen: expected.seen });
    const answered = wire.seen.filter((row) => row[2] === 'complete' || row[0]?.includes('early'));
    const answers = answered.map(([row]) => row?.split(' ')[1]);
    expect({ seed, urls: urls(wire) }).toEqual({ seed, urls: answers });
    const all = JSON.stringify([expected.seen, answers]);
    const isDone = (sent: Pick<Wire, 'seen' | 'answers'>) =>
      JSON.stringify([sent.seen, urls(sent)]) === all;
    const sent = await sendByNetwork(pieces, random(2) === 0, isDone);
    expect({ seed, seen: sent.seen, urls: urls(sent) }).toEqual({
      seed,
      seen: expected.seen,
      urls: answers,
    });
  }
});

it('lets the parser read by itself until a request comes before its turn', async () => {
  const reads: unknown[] = [];
  let socket: (Socket & { parser?: { _consumed?: boolean } }) | undefined;
  fed.once('connection', (opened: Socket) => (socket = opened));
  const get = (url: string) => lines(`GET ${url} HTTP/1.1`, '', '');
  const client = connect({ port: (fed.address() as AddressInfo).port });
  for (const requests of [get('/1'), get('/2'), get('/3') + get('/4'), get('/5')]) {
    const last = requests.slice(-15).match(/\/\d/)?.[0] ?? '';
    client.write(requests);
    for (let text = ''; !text.endsWith(last);) {
      text += String((await once(client, 'data')) as [Buffer]);
    }
    reads.push(socket?.parser?._consumed);
  }
  client.destroy();
  expect(reads).toEqual([true, true, false, false]);
});
