import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** The return value by which a callback pauses Node's parser: `HPE_PAUSED` of llhttp. */
const PAUSE = 21;

/** A request as the parser makes it. `upgrade` says that it asks for another protocol. */
type ParsedRequest = IncomingMessage & { upgrade: boolean };

/** The result of the parser: the number of bytes, or an error. A pause is an error, too. */
type Parsed = number | (Error & { bytesParsed: number });

/** The parts of Node's HTTP parser that this file uses. They are not documented. */
interface Parser {
  constructor: { kOnExecute?: number };
  /** Whether the parser reads from the system by itself. */
  _consumed?: boolean;
  onIncoming?: (request: ParsedRequest, keepAlive: boolean) => number;
  /** Returns the bytes that were read last. */
  getCurrentBuffer?(): Buffer;
  resume?(): void;
  /** Called after the parser has read. */
  [kOnExecute: number]: ((parsed: Parsed) => void) | undefined;
}

/** A request, or a mistake of the client, that the parser met before its turn. */
export interface Early {
  /** Makes Node answer it. */
  begin: () => void;
  /** Whether the request can be completed before it begins. */
  canEnd: boolean;
  /** The bytes behind its headers that were read with them. */
  rest: Buffer;
}

/**
 * Lets Node's parser read `socket` by itself until a request arrives while `isBusy`. The parser stops behind
 * the headers of this request, and `take` has to continue. Otherwise the parser would read on: it costs a
 * sixth of a small request to give it the bytes. It also stops at each request with `Upgrade`, because it
 * drops the bytes that were read with one.
 *
 * @returns false if the parser does not read by itself, or is not the one that we know
 */
export function untilEarly(
  socket: Socket & { parser?: object | null },
  isBusy: () => boolean,
  take: (early: Early) => void,
): boolean {
  const parser = socket.parser as Parser | null | undefined;
  const { kOnExecute = -1 } = parser?.constructor ?? {};
  const [begin, executed] = [parser?.onIncoming, parser?.[kOnExecute]];
  if (!parser?._consumed || !begin || !executed || !parser.getCurrentBuffer || !parser.resume) {
    return false;
  }
  let early: Omit<Early, 'rest'> | undefined;
  parser.onIncoming = (request, keepAlive) => {
    if (!parser._consumed || (!isBusy() && !request.upgrade)) return begin(request, keepAlive);
    early = { begin: () => begin(request, keepAlive), canEnd: !request.upgrade };
    return PAUSE;
  };
  parser[kOnExecute] = (parsed) => {
    const isError = typeof parsed !== 'number';
    if (!early && isError && isBusy()) {
      const begin = () => {
        executed(parsed);
      };
      early = { begin, canEnd: false };
    }
    if (!early) {
      executed(parsed);
      return;
    }
    const length = isError ? parsed.bytesParsed : parsed;
    const rest = parser.getCurrentBuffer?.().subarray(length) ?? Buffer.alloc(0);
    Object.assign(parser, { onIncoming: begin, [kOnExecute]: executed });
    parser.resume?.();
    take({ ...early, rest });
  };
  return true;
}
