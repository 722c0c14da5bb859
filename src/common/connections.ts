import { AsyncResource } from 'node:async_hooks';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { clientMemory } from './client-memory.js';

/** How long a client may leave an answer unread, in milliseconds. */
const READ_TIMEOUT = 30_000;

/** How many pipelined requests of one connection are answered, before it is closed. */
const MOST_PIPELINED = 128;

/** How many requests of one connection may be unanswered, before it is cut off. */
const MOST_UNANSWERED = 1024;

/** How many connections a server holds at once. */
const MOST_CONNECTIONS = 16_384;

/** The memory that Node and Fastify take for one waiting request, in bytes (rounded up). */
const WAITING_COST = 8 * 1024;

const connections = new WeakMap<Socket, Connection>();

/** The state of a client's connection. */
export function connectionOf(socket: Socket): Connection {
  const known = connections.get(socket);
  if (known) return known;
  const made = new Connection(socket);
  connections.set(socket, made);
  return made;
}

/** The server's memory of one client: its unanswered requests, an incomplete body, an unread answer. */
class Connection {
  /** In the order of their requests; the first one is being answered. */
  private readonly open: ServerResponse[] = [];
  private bodyBytes = 0;
  /** Whether the client has to read before the server can go on. */
  private stalled = false;

  constructor(private readonly socket: Socket) {
    socket.once('close', () => {
      this.open.length = 0;
      this.bodyBytes = 0;
      this.report(true);
    });
  }

  /** Takes a request in, by its answer to be. */
  begin(response: ServerResponse): void {
    const { open } = this;
    // Once Node has handed an answer on in full, it takes the connection from it.
    while (open[0]?.writableFinished && open[0].socket === null) open.shift();
    open.push(response);
    if (open.length === 1) return;
    if (open.length > MOST_UNANSWERED) this.socket.destroy();
    this.report(false);
  }

  /**
   * Calls `start` when all requests before that of `response` are answered and read.
   *
   * @returns false if that will not be: the connection ends before
   */
  inTurn(response: ServerResponse, start: () => void): boolean {
    const place = this.open.indexOf(response);
    if (place <= 0) {
      start();
      return true;
    }
    if (place === MOST_PIPELINED) response.setHeader('connection', 'close');
    // The client has to send the others again (RFC 9112, section 9.3.2).
    if (place > MOST_PIPELINED) return false;
    // The one before belongs to another request, whose context must not reach this one.
    const go = AsyncResource.bind(() => {
      this.begun(response);
      if (!this.socket.destroyed) start();
    });
    this.open[place - 1]?.once('close', go);
    return true;
  }

  private begun(response: ServerResponse): void {
    while (this.open.length > 0 && this.open[0] !== response) this.open.shift();
    this.report(true);
  }

  /** Looks whether the client has to read before more can be written. `ended`: all of the answer is. */
  wrote(response: ServerResponse, ended: boolean): void {
    const { socket } = this;
    const waits = ended ? socket.writableLength > 0 : socket.writableNeedDrain;
    if (!waits || response.socket === null) return;
    this.report(false);
    if (this.stalled) return;
    this.stalled = true;
    // Node looks at the time as long as nothing of a write gets through.
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

  /** Says how much of a request's body is in memory. */
  keepBody(bytes: number): void {
    this.bodyBytes = bytes;
    this.report(true);
  }

  private readonly weigh = (): number =>
    this.socket.writableLength + this.bodyBytes + Math.max(0, this.open.length - 1) * WAITING_COST;

  private report(moved: boolean): void {
    const bytes = this.socket.destroyed ? 0 : this.weigh();
    clientMemory.hold(this.socket, bytes, this.weigh, moved);
  }
}

/** An answer that tells its connection how much of it is unread. */
export class CountedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  private readonly client: Connection;

  constructor(...options: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...options);
    this.client = connectionOf(options[0].socket);
    this.client.begin(this);
  }

  override write(...chunk: never): boolean {
    const more = super.write(...(chunk as [unknown]));
    this.client.wrote(this, false);
    return more;
  }

  override end(...chunk: never): this {
    super.end(...(chunk as [unknown]));
    this.client.wrote(this, true);
    return this;
  }
}

/**
 * Begins a pipelined request only when the client has read the answers before it: else 64 KiB of small
 * requests would be as many large answers in memory. Its hook has to be the first.
 */
export function answerInTurn(fastify: FastifyInstance): void {
  fastify.server.maxConnections = MOST_CONNECTIONS;
  fastify.addHook('onRequest', (request, { raw: response }, done) => {
    const willBegin = connectionOf(request.raw.socket).inTurn(response, done);
    // There are thousands of those that will not: the log and the metrics leave them out.
    if (!willBegin) request.isAnswered = true;
  });
}
