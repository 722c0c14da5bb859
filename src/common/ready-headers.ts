import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Headers that many answers share, and their lines. The values come from the code, so no one validates them again. */
export interface ReadyHeaders {
  headers: Readonly<Record<string, string>>;
  count: number;
  lines: string;
}

/** Returns `headers`, whose names are in lower case, with their lines. */
export function readyHeaders(headers: Readonly<Record<string, string>>): ReadyHeaders {
  const entries = Object.entries(headers);
  const lines = entries.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return { headers, count: entries.length, lines };
}

type StoreHeader = (this: ServerResponse, firstLine: string, headers: unknown) => void;

/** `writeHead` by all its forms. */
type Write<T> = (status: number, reason: unknown, headers?: unknown) => T;

/** Node's method that writes the lines of the headers behind the first one. It is not documented. */
const storeHeader = (ServerResponse.prototype as { _storeHeader?: StoreHeader })._storeHeader;

/**
 * An answer that sends the lines of {@link ReadyHeaders} as they are. Node would validate and write each header of
 * each answer anew, which takes a twenty-fifth of a small request.
 */
export class ReadyResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** The headers that the answer has if nothing changes them. */
  ready: ReadyHeaders | undefined;
  private lines = '';

  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    const rest = this.ready && isUsable && isRecord(reason) && this.besides(this.ready, reason);
    if (!rest) return (super.writeHead as Write<this>)(status, reason, headers);
    this.lines = this.ready?.lines ?? '';
    return (super.writeHead as Write<this>)(status, rest);
  }

  /** Returns the headers beside `ready`; undefined if one of those is missing, changed, or was set elsewhere. */
  private besides(
    ready: ReadyHeaders,
    headers: OutgoingHttpHeaders,
  ): OutgoingHttpHeaders | undefined {
    if (this.getHeaderNames().length > 0) return undefined;
    const rest: OutgoingHttpHeaders = {};
    let found = 0;
    for (const name in headers) {
      const value = headers[name];
      if (typeof value === 'string' && value === ready.headers[name]) found++;
      else rest[name] = value;
    }
    return found === ready.count ? rest : undefined;
  }

  /** Called by Node. */
  _storeHeader(firstLine: string, headers: unknown): void {
    storeHeader?.call(this, firstLine + this.lines, headers);
  }
}

const isRecord = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether this Node writes headers by the method above. Otherwise each answer gets its headers as usual. */
let isUsable = true;
isUsable = writesLines();

function writesLines(): boolean {
  const response = new ReadyResponse(new IncomingMessage(new Socket()));
  response.ready = readyHeaders({ 'x-ready': 'yes' });
  response.writeHead(200, { 'x-ready': 'yes', 'x-other': 'too' });
  const { _header: head } = response as { _header?: unknown };
  return (
    typeof head === 'string' && /^HTTP\S+ 200 OK\r\nx-ready: yes\r\nx-other: too\r\n/.test(head)
  );
}
