/**
 * What a good engineer would write by hand with Latchkey's duties: Fastify and fast-jwt.
 *
 * Duties: HS256, issuer and expiry by fast-jwt with its own cache of verified tokens, a look whether the session is
 * revoked, one line of the log a request (pino, to the standard output), helmet's headers and `no-store` (made once),
 * a random request id in the log and the answer, a counter and a histogram of prom-client by method, route and status.
 *
 * Omissions: Nest, dependency injection, canonical encoding and duplicate names in tokens, the audience, bounded
 * connections, `Host` checks, early answers, CORS, the answer's own error codes.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createVerifier } from 'fast-jwt';
import { fastify } from 'fastify';
import helmet from 'helmet';
import { Counter, Histogram } from 'prom-client';

const verify = createVerifier({
  key: process.env.SECRET,
  algorithms: ['HS256'],
  allowedIss: 'latchkey',
  cache: 10_000,
});

/** The ids of revoked sessions; in a real server, a subscription would fill it. */
const revoked = new Set<string>();

const app = fastify({
  logger: { level: 'info' },
  disableRequestLogging: true,
  genReqId: () => randomUUID(),
});

const headers: Record<string, string> = { 'cache-control': 'no-store' };
helmet({ referrerPolicy: { policy: 'no-referrer' } })(
  {} as IncomingMessage,
  {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse,
  () => undefined,
);

const requests = new Counter({
  name: 'http_requests_total',
  help: 'Requests',
  labelNames: ['method', 'route', 'status'],
});
const seconds = new Histogram({
  name: 'http_request_seconds',
  help: 'Duration',
  labelNames: ['method', 'route'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

app.addHook('onRequest', (request, reply, done) => {
  reply.headers(headers).header('x-request-id', request.id);
  done();
});
app.addHook('onResponse', (request, reply, done) => {
  const { method } = request;
  const route = request.routeOptions.url ?? 'unknown';
  const ms = reply.elapsedTime;
  requests.inc({ method, route, status: reply.statusCode });
  seconds.observe({ method, route }, ms / 1000);
  request.log.info(
    { method, route, status: reply.statusCode, ms: Math.round(ms * 10) / 10 },
    'request',
  );
  done();
});

app.get('/health/live', () => ({ status: 'ok' }));

app.decorateRequest('username', '');
app.get(
  '/protected',
  {
    schema: {
      response: {
        200: { type: 'object', properties: { hello_from: { type: 'string' } } },
        401: { type: 'object', properties: { message: { type: 'string' } } },
      },
    },
    preHandler: (request, reply, done) => {
      const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
      try {
        if (scheme !== 'Bearer') throw new Error('no token');
        const claims = verify(token) as { username: string; sid: string };
        if (revoked.has(claims.sid)) throw new Error('revoked');
        (request as unknown as { username: string }).username = claims.username;
        done();
      } catch {
        reply.code(401).send({ message: 'Unauthorized' });
      }
    },
  },
  (request) => ({ hello_from: (request as unknown as { username: string }).username }),
);

await app.listen({ port: Number(process.env.PORT), host: process.env.HOST });

// An end by a signal would leave no profile behind.
process.once('SIGTERM', () => process.exit());
