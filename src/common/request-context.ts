import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { canonicalAddress, isLoopback } from './network.js';
import { printable } from './printable.js';

/** What starts work: a request, a program beside the server, or the server by itself. */
export type Source = 'request' | 'cli' | 'server';

/** Where the work that runs comes from; what is not known is null. */
export interface RequestContext {
  source: Source;
  requestId: string | null;
  /** The client's address, as `TRUST_PROXY` has it, in its one form. */
  address: string | null;
  /** Whether the connection comes from this machine, and no proxy says that it speaks for another. */
  local: boolean;
  /** Bounded, and as both databases can store it. */
  userAgent: string | null;
  /** The signed-in user, once a guard has looked. */
  actorId: string | null;
  /** Who acts in that user's name (RFC 8693, section 4.1). */
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

/** Where what runs now comes from; outside of requests and programs the server itself. */
export function currentContext(): Readonly<RequestContext> {
  return storage.getStore()?.context ?? NONE;
}

/** The same as a request's `origin`, to be asked again later: a guard may set the actor meanwhile. */
export function currentOrigin(): { readonly context: Readonly<RequestContext> } {
  return storage.getStore() ?? { context: NONE };
}

/** Runs `work`, and what it starts, as coming from `context`. */
export function runInContext<T>(context: Partial<RequestContext>, work: () => T): T {
  return storage.run({ context: { ...NONE, ...context } }, work);
}

/** Names who is signed in on a request; for guards. */
export function setActor(
  { origin }: FastifyRequest,
  actorId: string,
  impersonatorId: string | null = null,
): void {
  if (!origin) return;
  origin.actorId = actorId;
  origin.impersonatorId = impersonatorId;
}

/** Gives every request its context. `behindProxy`: whether `X-Forwarded-For` is believed. */
export function provideContext(fastify: FastifyInstance, behindProxy: boolean): void {
  fastify.decorateRequest('origin', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.origin = new RequestOrigin(request, behindProxy);
    storage.run(request.origin, done);
  });
  // The body's last byte comes in the context of the connection, not in that of its request.
  fastify.addHook('preValidation', ({ origin }, _reply, done) => {
    if (origin && origin !== storage.getStore()) storage.run(origin, done);
    else done();
  });
}

/** A request. Fastify's type does not say that a client may have reset the connection: it has no address then. */
type Arrived = Pick<FastifyRequest, 'id' | 'headers'> & { ip: string | undefined };

/** Kept as it came until it is asked for: most requests write nothing that says where it came from. */
class RequestOrigin {
  actorId: string | null = null;
  impersonatorId: string | null = null;
  private readonly id: string;
  private readonly ip: string;
  private readonly headers: IncomingHttpHeaders;
  private readonly direct: boolean;

  /** The address has to be read now: once the client is gone, there is none. */
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

/** An address in its one form; empty if it is none, which happens once the client is gone. */
export const storableAddress = (address: string | null | undefined): string =>
  canonicalAddress(address ?? '') ?? '';

/** A header's value as both databases can store it, and as a terminal shows it. */
export const storable = (text: string): string =>
  printable(text.replaceAll('\0', '')).toWellFormed().slice(0, 512).toWellFormed();
