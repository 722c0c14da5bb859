import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { canonicalAddress, isLoopback } from './network.js';
import { printable } from './printable.js';

/** The starting point of work: a request, a program beside the server, or the server itself. */
export type Source = 'request' | 'cli' | 'server';

/** The origin of running work. Unknown facts are null. */
export interface RequestContext {
  source: Source;
  requestId: string | null;
  /** The client's address, by `TRUST_PROXY`, in its canonical form. */
  address: string | null;
  /** Whether the connection comes from this machine, and no proxy says that it speaks for another client. */
  local: boolean;
  /** The user agent, cut off, and in a form that both databases can store. */
  userAgent: string | null;
  /** The signed-in user, after a guard has checked the token. */
  actorId: string | null;
  /** The user that acts in that user's name (RFC 8693, section 4.1). */
  impersonatorId: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    origin?: RequestOrigin;
  }
}

const storage = new AsyncLocalStorage<{ context: Readonly<RequestContext> }>();

const NONE: Readonly<RequestContext> = {
  source: 'server',
  requestId: null,
  address: null,
  local: false,
  userAgent: null,
  actorId: null,
  impersonatorId: null,
};

/** Returns the context of the running work. Outside of requests and programs it is the server's own. */
export function currentContext(): Readonly<RequestContext> {
  return storage.getStore()?.context ?? NONE;
}

/** Returns a request's `origin`, which is read again later: a guard may set the actor meanwhile. */
export function currentOrigin(): { readonly context: Readonly<RequestContext> } {
  return storage.getStore() ?? { context: NONE };
}

/** Runs `work`, and all work that it starts, in `context`. */
export function runInContext<T>(context: Partial<RequestContext>, work: () => T): T {
  return storage.run({ context: { ...NONE, ...context } }, work);
}

/** Sets the signed-in user of a request; for guards. */
export function setActor(
  { origin }: FastifyRequest,
  actorId: string,
  impersonatorId: string | null = null,
): void {
  if (!origin) return;
  origin.actorId = actorId;
  origin.impersonatorId = impersonatorId;
}

/** Gives every request its context. `behindProxy` says whether `X-Forwarded-For` is trusted. */
export function provideContext(fastify: FastifyInstance, behindProxy: boolean): void {
  fastify.decorateRequest('origin', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.origin = new RequestOrigin(request, behindProxy);
    storage.run(request.origin, done);
  });
  // The body's last byte arrives in the context of the connection and not in that of its request.
  fastify.addHook('preValidation', ({ origin }, _reply, done) => {
    if (origin && origin !== storage.getStore()) storage.run(origin, done);
    else done();
  });
}

/** A request. Fastify's type hides that it has no address if the client reset the connection. */
type Arrived = Pick<FastifyRequest, 'id' | 'headers'> & { ip: string | undefined };

/** Keeps the values as they came until they are read, because most requests write no row with an origin. */
class RequestOrigin {
  actorId: string | null = null;
  impersonatorId: string | null = null;
  private readonly id: string;
  private readonly ip: string;
  private readonly headers: IncomingHttpHeaders;
  private readonly direct: boolean;

  /** The address has to be read now: after the client has gone there is none. */
  constructor({ id, ip, headers }: Arrived, behindProxy: boolean) {
    this.id = id;
    this.ip = ip ?? '';
    this.headers = headers;
    this.direct = !behindProxy || headers['x-forwarded-for'] === undefined;
  }

  get context(): RequestContext {
    return {
      source: 'request',
      requestId: this.id,
      address: storableAddress(this.ip) || null,
      local: this.direct && isLoopback(this.ip),
      userAgent: storable(this.headers['user-agent'] ?? '') || null,
      actorId: this.actorId,
      impersonatorId: this.impersonatorId,
    };
  }
}

/** Returns an address in its canonical form, or the empty text. A client that has gone has no address. */
export const storableAddress = (address: string | null | undefined): string =>
  canonicalAddress(address ?? '') ?? '';

/** Returns a header's value in a form that both databases can store and a terminal can show. */
export const storable = (text: string): string =>
  printable(text.replaceAll('\0', '')).toWellFormed().slice(0, 512).toWellFormed();
