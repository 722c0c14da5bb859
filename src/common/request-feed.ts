import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';

/** How many bytes of requests a client may send ahead of their turn, before its connection is cut off. */
const MOST_AHEAD = 64 * 1024;

/** The end of a request's headers (RFC 9112, section 2.1). Node's parser takes no other. */
const END_OF_HEADERS = '\r\n\r\n';

const NONE: Buffer = Buffer.alloc(0);

/** The state of a connection, as far as its feed needs it. */
export interface Turns {
  /** Returns whether the next request has to wait for an answer. */
  isBusy(): boolean;
  /** Calls `then` when the client has read the present answer. */
  afterAnswer(then: () => void): void;
  /** Hears that more or fewer bytes wait. `moved`: the reason is that the client has read an answer. */
  report(moved: boolean): void;
}

/**
 * Gives Node's HTTP parser one request of a connection at a time; the others wait as bytes. The parser by
 * itself makes objects of every request that arrives: 64 KiB hold 3,600 requests, and their objects 10 MB.
 */
export class RequestFeed {
  private ahead = NONE;
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
    private readonly turns: Turns,
  ) {
    socket.off('data', parse);
    socket.on('data', this.read);
    socket.once('close', () => (this.ahead = NONE));
  }

  /** Takes the place of Node's own listener for the data of `socket`. */
  static of(socket: Socket, turns: Turns): RequestFeed | undefined {
    const [parse] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    return parse && new RequestFeed(socket, parse, turns);
  }

  /** How many bytes wait for their turn. */
  get bytes(): number {
    return this.ahead.length;
  }

  private feed(moved: boolean): void {
    const { socket } = this;
    while (this.ahead.length > 0 && !this.turns.isBusy()) {
      // The connection is being closed: no further request can be answered.
      if (!socket.writable) this.ahead = NONE;
      else this.parseNext();
    }
    if (this.ahead.length > MOST_AHEAD) socket.destroy();
    if (socket.destroyed) this.ahead = NONE;
    if (this.ahead.length > 0) this.wait();
    if (this.reported === this.ahead.length) return;
    this.reported = this.ahead.length;
    this.turns.report(moved);
  }

  /** Parses the rest of the current request, or the headers of the next one. */
  private parseNext(): void {
    const { socket, ahead } = this;
    const end = ahead.indexOf(END_OF_HEADERS);
    const length = end === -1 ? ahead.length : end + END_OF_HEADERS.length;
    const isLast = length === ahead.length;
    this.ahead = isLast ? NONE : ahead.subarray(length);
    this.parse.call(socket, isLast ? ahead : ahead.subarray(0, length));
    if (socket.parser !== null) return;
    // Node has handed the connection to another protocol, or has closed it.
    socket.off('data', this.read);
    if (this.ahead.length > 0 && !socket.destroyed) socket.unshift(this.ahead);
    this.ahead = NONE;
  }

  private wait(): void {
    // A part keeps the whole of its chunk in memory.
    if (this.ahead.length * 2 < this.ahead.buffer.byteLength) this.ahead = Buffer.from(this.ahead);
    if (this.isWaiting) return;
    this.isWaiting = true;
    const goOn = (): void => {
      this.isWaiting = false;
      this.row++;
      this.feed(true);
    };
    // Bound, because the request that is answered has a context of its own. Other connections have their
    // turn first: else small requests would follow one another and hold up everybody.
    this.turns.afterAnswer(AsyncResource.bind(() => setImmediate(goOn)));
  }
}
