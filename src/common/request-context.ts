import { AsyncLocalStorage } from 'node:async_hooks';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What starts work: a request, a program beside the server, or the server by itself. */
export type Source = 'request' | 'cli' | 'server';

/** Where the work that runs comes from; what is not known is null. */
export interface RequestContext {
  source: Source;
  requestId: string | null;
  /** The client's address, as `TRUST_PROXY` has it. */
  address: string | null;
  /** Bounded, and as both databases can store it. */
  userAgent: string | null;
  /** The signed-in user, once a guard has looked. */
  actorId: string | null;
  /** Who acts in that user's name (RFC 8693, section 4.1). */
  impersonatorId: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    requestContext?: RequestContext;
  }
}

const storage = new AsyncLocalStorage<RequestContext>();

const NONE: Readonly<RequestContext> = {
  source: 'server',
  requestId: null,
  address: null,
  userAgent: null,
  actorId: null,
  impersonatorId: null,
};

/** Where what runs now comes from; outside of requests and programs the server itself. */
export function currentContext(): Readonly<RequestContext> {
  return storage.getStore() ?? NONE;
}

/** Runs `work`, and what it starts, as coming from `context`. */
export function runInContext<T>(context: Partial<RequestContext>, work: () => T): T {
  return storage.run({ ...NONE, ...context }, work);
}

/** Names who is signed in; for guards. Does nothing outside of a request. */
export function setActor(actorId: string, impersonatorId: string | null = null): void {
  const context = storage.getStore();
  if (context) Object.assign(context, { actorId, impersonatorId });
}

/** Gives every request its context. */
export function provideContext(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.requestContext = contextOf(request);
    storage.run(request.requestContext, done);
  });
  // The body's last byte comes in the context of the connection, not in that of its request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    if (request.requestContext) storage.run(request.requestContext, done);
    else done();
  });
}

function contextOf({ id, ip, headers }: FastifyRequest): RequestContext {
  return {
    ...NONE,
    source: 'request',
    requestId: id,
    address: storableAddress(ip) || null,
    userAgent: storable(headers['user-agent'] ?? '') || null,
  };
}

/** An address; empty where it is none: behind a proxy that passes on what it is told, it may not be. */
export const storableAddress = (address: string): string => (isIP(address) ? address : '');

/** A header's value as both databases can store it: PostgreSQL has no NUL, the column a width. */
export const storable = (text: string): string =>
  text.replaceAll('\0', '').toWellFormed().slice(0, 512).toWellFormed();
