import type { FastifyInstance, FastifyRequest } from 'fastify';
import { API_ERRORS } from './api-error.js';

/** The status, nginx's, of a request whose client left before the answer; for logs and metrics. */
const GONE = API_ERRORS.client_gone[0];

/** Called at the end of a request. `ms` is the time that the answer took. */
export type RequestEnd = (
  request: FastifyRequest,
  end: { status: number; route: string | undefined; ms?: number },
) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /** The listeners of {@link onRequestEnd}. */
    requestEnds: RequestEnd[];
  }
  interface FastifyRequest {
    /** Whether the answer has been sent. */
    isAnswered: boolean;
  }
}

/**
 * Calls `ended` once for each request of `fastify`: when its answer is sent, or when its client closes the
 * connection before that. Fastify's `onResponse` leaves out the second case.
 */
export function onRequestEnd(fastify: FastifyInstance, ended: RequestEnd): void {
  if (fastify.hasDecorator('requestEnds')) {
    fastify.requestEnds.push(ended);
    return;
  }
  const all = [ended];
  fastify.decorate('requestEnds', all);
  fastify.decorateRequest('isAnswered', false);
  // One hook for all: Fastify makes the options of the route anew each time that they are read.
  const tell = (request: FastifyRequest, status: number, ms?: number): void => {
    const end = { status, route: request.routeOptions.url, ms };
    for (const one of all) one(request, end);
  };
  fastify.addHook('onResponse', (request, reply, done) => {
    request.isAnswered = true;
    tell(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    if (!request.isAnswered) tell(request, GONE);
    done();
  });
}
