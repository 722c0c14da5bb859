import type { FastifyInstance, FastifyRequest } from 'fastify';
import { API_ERRORS } from './api-error.js';

/** The status, nginx's, of a request whose client left before the answer; for logs and metrics. */
const GONE = API_ERRORS.client_gone[0];

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the answer has been sent. */
    isAnswered: boolean;
  }
}

/**
 * Calls `ended` once for each request of `fastify`: when its answer is sent, or when its client closes the
 * connection before that. Fastify's `onResponse` leaves out the second case. `ms` is the time that the answer
 * took.
 */
export function onRequestEnd(
  fastify: FastifyInstance,
  ended: (request: FastifyRequest, status: number, ms?: number) => void,
): void {
  if (!fastify.hasRequestDecorator('isAnswered')) fastify.decorateRequest('isAnswered', false);
  fastify.addHook('onResponse', (request, reply, done) => {
    request.isAnswered = true;
    ended(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    if (!request.isAnswered) ended(request, GONE);
    done();
  });
}
