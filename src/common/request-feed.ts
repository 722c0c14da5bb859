import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Early, untilEarly } from './early-request.js';

/** How many bytes of requests a client may send ahead of their turn, before its connection is cut off. */
const MAX_AHEAD_BYTES = 64 * 1024;

/**
 * The end of a request's headers, and of a chunked body (RFC 9112, sections 2.1 and 7.1). Node's parser takes
 * no other.
 */
const END = '\r\n\r\n';

const NONE: Buffer = Buffer.alloc(0);

/** No bytes, but at an address in memory: without one, the parser would take them for the end of the connection. */
const NO_MORE: Buffer = Buffer.from('-').subarray(0, 0);

/** The memory that Node and Fastify take for one parsed request that waits, in bytes (rounded up). */
const REQUEST_BYTES = 8 * 1024;

/** The state of a connection, as far as its feed needs it. */
export interface ConnectionState {
  /** Returns whether the next request has to wait for an answer. */
  isBusy(): boolean;
  /** Calls `then` when the client has read the present answer. */
  afterAnswer(then: () => void): void;
  /** Hears that more or fewer bytes wait. `moved`: the reason is that the client has read an answer. */
  report(moved: boolean): void;
}

/**
 * Gives Node's HTTP parser one request of a connection at a time; the others wait as bytes. The parser by
 * itself makes objects of every request that arrives: 64 KiB hold 3,600 requests, and their objects 10 MB. It
 * reads a connection by itself until a request comes before its turn, because most clients never send one.
 *
 * Only the parser decides where a request ends. It gets every byte, in order, in pieces that never go past the
 * end of a request. After a request with `Upgrade`, the parser drops the rest of the piece: it would drop the
 * headers of the next request, and read that request's body as a request.
 */
export class RequestFeed {
  private ahead = NONE;
  /** Begins a request whose headers are parsed already. It is before the others. */
  private early: Early['begin'] | undefined;
  /** The last three bytes that were parsed, because an end may lie across two pieces. */
  private before = '';
  /** How many bytes the body of the present request still takes, or Infinity if only the parser knows. */
  private bodyLeft = Infinity;
  /** How many requests in a row have waited for the one before. */
  row = 0;
  private isWaiting = false;
  private reported = 0;
  private readonly read = (chunk: Buffer): void => {
    if (this.ahead.length === 0) this.row = 0;
    this.ahead = this.ahead.length === 0 ? chunk : Buffer.concat([this.ahead, chunk]);
    this.feed(false);
  };

  private constructor(
    private readonly socket: Socket & { parser?: object | null },
    private readonly parse: (chunk: Buffer) => void,
    private readonly connection: ConnectionState,
  ) {
    socket.once('close', () => {
      this.drop();
    });
    const isBusy = () => connection.isBusy();
    const take = (early: Early) => {
      this.take(early);
    };
    if (!untilEarly(socket, isBusy, take)) this.listen();
  }

  /** Takes the place of Node's own listener for the data of `socket`. */
  static of(socket: Socket, connection: ConnectionState): RequestFeed | undefined {
    const [parse] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    return parse && new RequestFeed(socket, parse, connection);
  }

  /** How many bytes wait for their turn. */
  get bytes(): number {
    return this.ahead.length + (this.early ? REQUEST_BYTES : 0);
  }

  /** Hears that the parser has come to the end of the headers of `request`. */
  begun({ headers }: IncomingMessage): void {
    this.bodyLeft = Number(headers['content-length']) || Infinity;
  }

  private listen(): void {
    this.socket.off('data', this.parse);
    this.socket.on('data', this.read);
  }

  /** Takes over a connection from the parser. */
  private take(early: Early): void {
    this.listen();
    this.early = early.begin;
    this.ahead = early.rest;
    // Without a body it is complete now, so that it may wait longer than a request may take to arrive.
    if (early.canEnd) this.give(NO_MORE);
    this.feed(false);
  }

  private drop(): void {
    this.early = undefined;
    this.ahead = NONE;
  }

  private feed(moved: boolean): void {
    const { socket } = this;
    // No further request can be answered once the connection is being closed, and the rest of a refused one is not read.
    while (this.bytes > 0 && (!socket.writable || !this.connection.isBusy())) {
      if (!socket.writable) this.drop();
      else if (this.early) this.beginEarly(this.early);
      else this.parseNext();
    }
    if (this.ahead.length > MAX_AHEAD_BYTES) socket.destroy();
    if (socket.destroyed) this.drop();
    if (this.bytes > 0) this.wait();
    if (this.reported === this.bytes) return;
    this.reported = this.bytes;
    this.connection.report(moved);
  }

  private beginEarly(begin: () => void): void {
    this.early = undefined;
    begin();
    if (this.socket.writable) this.give(NO_MORE);
  }

  /** Parses the next piece of the current request, or of the headers of the next one. */
  private parseNext(): void {
    const { ahead, bodyLeft } = this;
    const end = bodyLeft < Infinity ? bodyLeft : this.untilEnd();
    const length = Math.min(end, ahead.length);
    const piece = length === ahead.length ? ahead : ahead.subarray(0, length);
    this.ahead = length === ahead.length ? NONE : ahead.subarray(length);
    const last = piece.toString('latin1', Math.max(0, length - 3));
    this.before = length === end ? '' : (this.before + last).slice(-3);
    this.bodyLeft = bodyLeft - length || Infinity;
    this.give(piece);
  }

  private give(piece: Buffer): void {
    const { socket } = this;
    this.parse.call(socket, piece);
    if (socket.parser !== null) return;
    // Node has handed the connection to another protocol, or has closed it.
    socket.off('data', this.read);
    if (this.ahead.length > 0 && !socket.destroyed) socket.unshift(this.ahead);
    this.ahead = NONE;
  }

  /** Returns the number of bytes up to and with the next `END`, or Infinity. */
  private untilEnd(): number {
    const { ahead, before } = this;
    const across = (before + ahead.toString('latin1', 0, 3)).indexOf(END);
    if (across !== -1) return across + END.length - before.length;
    const start = ahead.indexOf(END);
    return start === -1 ? Infinity : start + END.length;
  }

  private wait(): void {
    // A part keeps the whole of its chunk in memory, and a small copy a part of Node's pool.
    if (this.ahead.length * 2 < this.ahead.buffer.byteLength) {
      const copy = Buffer.allocUnsafeSlow(this.ahead.length);
      this.ahead.copy(copy);
      this.ahead = copy;
    }
    if (this.isWaiting) return;
    this.isWaiting = true;
    const goOn = (): void => {
      this.isWaiting = false;
      this.row++;
      this.feed(true);
    };
    // Bound, because the request that is answered has a context of its own. Other connections have their turn
    // first: otherwise the small requests of one connection would hold up all others.
    this.connection.afterAnswer(AsyncResource.bind(() => setImmediate(goOn)));
  }
}
