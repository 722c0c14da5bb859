import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';
import { onRequestEnd } from './request-end.js';

/** The methods that have a series of their own. A client may invent others. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Measures the number and duration of the requests of `fastify`, by the pattern of the route and never by the
 * requested address. Requests without a route count as `unknown`.
 */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const requests = metrics.counter({
    name: 'latchkey_http_requests_total',
    help: 'Requests by method, route pattern and status; 499: the client left before the answer',
    labelNames: ['method', 'route', 'status'],
  });
  const seconds = metrics.histogram({
    name: 'latchkey_http_request_seconds',
    help: 'Time from the request to the end of its answer, by method and route pattern',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  onRequestEnd(fastify, ({ method: given }, { status, route = 'unknown', ms }) => {
    const method = METHODS.includes(given) ? given : 'other';
    requests.inc({ method, route, status });
    if (ms !== undefined) seconds.observe({ method, route }, ms / 1000);
  });
}
