import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { clientMemory } from './client-memory.js';
import { ReadyResponse } from './ready-headers.js';
import { type ConnectionState, RequestFeed } from './request-feed.js';
import { STRICT_HEADERS } from './security-headers.js';

/** How long a client may leave an answer unread, in milliseconds. */
const READ_TIMEOUT = 30_000;

/** The number of pipelined requests of one connection that are answered before it is closed. */
const MAX_PIPELINED = 128;

/** How the rest of a refused request is dropped: in looks of 200 ms, for 10 s, 1 s without a byte, or 16 MiB at most. */
const LINGER = { interval: 200, looks: 50, idleLooks: 5, bytes: 16 * 1024 * 1024 };

/** The number of connections that a server holds at once. */
const MAX_CONNECTIONS = 16_384;

const connections = new WeakMap<Socket, Connection>();

/** Returns the state of a client's connection. */
export function connectionOf(socket: Socket): Connection {
  const known = connections.get(socket);
  if (known) return known;
  const made = new Connection(socket);
  connections.set(socket, made);
  return made;
}

/** Counts the memory that one client takes: waiting requests, an incomplete body, an unread answer. */
class Connection implements ConnectionState {
  /** The answer to the present request. The feed parses no other one before its end. */
  private answer: ServerResponse | undefined;
  /** The last request, if its answer was complete before the request itself. */
  private unread: IncomingMessage | undefined;
  private readonly feed: RequestFeed | undefined;
  private bodyBytes = 0;
  /** Whether the client has to read before the server can continue. */
  private stalled = false;
  /** Whether the last answer was sent, and the rest of its request is dropped. */
  private lingers = false;

  constructor(private readonly socket: Socket) {
    this.feed = RequestFeed.of(socket, this);
    socket.once('close', () => {
      this.answer = undefined;
      this.unread = undefined;
      this.bodyBytes = 0;
      this.report(true);
    });
  }

  /** Registers a request by its future answer. */
  begin(response: ServerResponse): void {
    this.answer = response;
    this.unread = undefined;
    this.feed?.begun(response.req);
    // The client has to send the other requests again (RFC 9112, section 9.3.2).
    if ((this.feed?.row ?? 0) >= MAX_PIPELINED) response.setHeader('connection', 'close');
  }

  /** Releases an answer that was handed on completely: an idle connection must not keep it in memory. */
  finish(response: ServerResponse): void {
    if (this.answer !== response) return;
    this.answer = undefined;
    if (!response.req.complete) this.unread = response.req;
  }

  /** Whether the client has got an answer, or its beginning, to a request that it still sends. */
  get isAnswered(): boolean {
    const request = this.answer?.headersSent ? this.answer.req : this.unread;
    return request?.complete === false;
  }

  isBusy(): boolean {
    // The body of a request has to be read to its end.
    return this.lingers || this.answer?.req.complete === true;
  }

  /**
   * Closes the connection after the answer to `request`, and drops the rest of its body. Closing with unread bytes
   * would reset the connection: a browser that still sends would show an error of its own instead of the answer.
   */
  refuseRest(request: IncomingMessage): void {
    const { answer, socket } = this;
    if (answer?.req !== request || answer.headersSent) return;
    answer.setHeader('connection', 'close');
    request.resume();
    const close = socket.destroySoon.bind(socket);
    // Node calls this after the answer.
    socket.destroySoon = () => {
      if (request.complete) close();
      else this.linger(request);
    };
  }

  private linger(request: IncomingMessage): void {
    const { socket } = this;
    this.lingers = true;
    socket.end();
    request.once('end', () => socket.destroy());
    const start = socket.bytesRead;
    let [before, idle, looks] = [start, 0, 0];
    const timer = setInterval(() => {
      const { bytesRead } = socket;
      idle = bytesRead === before ? idle + 1 : 0;
      before = bytesRead;
      const isLong = ++looks >= LINGER.looks || bytesRead - start > LINGER.bytes;
      if (isLong || idle >= LINGER.idleLooks) socket.destroy();
    }, LINGER.interval).unref();
    socket.once('close', () => {
      clearInterval(timer);
    });
  }

  afterAnswer(then: () => void): void {
    this.answer?.once('close', then);
  }

  /**
   * Checks whether the client has to read before more can be written. `ended` says that the answer is
   * complete.
   */
  wrote(response: ServerResponse, ended: boolean): void {
    const { socket } = this;
    const waits = ended ? socket.writableLength > 0 : socket.writableNeedDrain;
    if (!waits || response.socket === null) return;
    this.report(false);
    if (this.stalled) return;
    this.stalled = true;
    // Node checks the time as long as no byte of a write gets through.
    socket.setTimeout(READ_TIMEOUT);
    const read = (): void => {
      if (!this.stalled) return;
      this.stalled = false;
      socket.off('drain', read);
      response.off('close', read);
      // After the end of an answer Node sets the time for which an idle connection is kept.
      if (!response.writableFinished) socket.setTimeout(0);
      this.report(true);
    };
    socket.once('drain', read);
    response.once('close', read);
  }

  /** Reports how much of a request's body is in memory. */
  keepBody(bytes: number): void {
    this.bodyBytes = bytes;
    this.report(true);
  }

  private readonly weigh = (): number =>
    this.socket.writableLength + this.bodyBytes + (this.feed?.bytes ?? 0);

  report(moved: boolean): void {
    // A request by Fastify's inject() has no connection to weigh or to close.
    if (!(this.socket instanceof Duplex)) return;
    const bytes = this.socket.destroyed ? 0 : this.weigh();
    clientMemory.hold(this.socket, bytes, this.weigh, moved);
  }
}

/** The length from which a text is turned into bytes, in characters. */
const LONG_TEXT = 16 * 1024;

/**
 * Returns a chunk with a long text as bytes. Until the client has read a text, Node keeps three bytes for
 * each of its characters, and counts one.
 */
function inBytes(chunk: unknown, encoding: unknown): unknown {
  if (typeof chunk !== 'string' || chunk.length < LONG_TEXT) return chunk;
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}

/** `write` or `end` of an answer, by all their forms. */
type Send<T> = (chunk: unknown, encoding: unknown, then: unknown) => T;

const PROTECTING = Object.entries(STRICT_HEADERS.headers);

/** An answer that tells its connection how much of it is unread. */
export class CountedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ReadyResponse<Request> {
  private readonly client: Connection;

  constructor(...options: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...options);
    this.client = connectionOf(options[0].socket);
    this.client.begin(this);
  }

  /** An answer from before the hooks, such as CORS's own or one to a malformed address, is protected, too. */
  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    if (!this.ready) {
      for (const [name, value] of PROTECTING) {
        if (!this.hasHeader(name)) this.setHeader(name, value);
      }
    }
    return super.writeHead(status, reason, headers);
  }

  // Three parameters: a list of them, taken apart and put together again, costs more than the rest.
  override write(chunk: unknown, encoding?: unknown, then?: unknown): boolean {
    const more = (super.write as Send<boolean>)(inBytes(chunk, encoding), encoding, then);
    this.client.wrote(this, false);
    return more;
  }

  override end(chunk?: unknown, encoding?: unknown, then?: unknown): this {
    (super.end as Send<this>)(inBytes(chunk, encoding), encoding, then);
    this.client.wrote(this, true);
    return this;
  }

  /** Node calls this after the complete answer was handed on. */
  override detachSocket(socket: Socket): void {
    super.detachSocket(socket);
    this.client.finish(this);
  }
}

/**
 * Bounds the connections of a server, and answers the requests of each one after another. A pipelined request
 * begins only after the client has read the answers before it: otherwise 64 KiB of small requests would become as
 * many large answers in memory.
 */
export function limitConnections({ server }: FastifyInstance): void {
  server.maxConnections = MAX_CONNECTIONS;
  // Node keeps 1,000 headers and drops the others, so a client could hide a second Host, or the address that
  // a proxy adds. `maxHeaderSize` bounds them.
  server.maxHeadersCount = 0;
  server.on('connection', connectionOf);
}
