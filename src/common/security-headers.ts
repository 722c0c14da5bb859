import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { type ReadyHeaders, readyHeaders, ReadyResponse } from './ready-headers.js';

const STRICT = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
};

/** Swagger UI brings its scripts along, and styles inside its page. */
const DOCS = {
  useDefaults: false,
  directives: {
    ...STRICT.directives,
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
  },
};

/** The headers of every answer, if nothing changes them. */
export const STRICT_HEADERS = headersWith(STRICT);

/** Adds helmet's headers, `Cache-Control: no-store` and the request's id to every answer. */
export function setSecurityHeaders(fastify: FastifyInstance): void {
  const docs = headersWith(DOCS);
  fastify.addHook('onRequest', (request, reply, done) => {
    const isDocs = /^\/docs(\/|$)/.test(request.routeOptions.url ?? '');
    const ready = isDocs ? docs : STRICT_HEADERS;
    // A handler can still change a header of the reply. The answer then sends all of them one by one.
    if (reply.raw instanceof ReadyResponse) reply.raw.ready = ready;
    reply.headers(ready.headers).header('x-request-id', request.id);
    done();
  });
}

/** Returns helmet's headers and `no-store`, computed once. Helmet would compute them for each request. */
function headersWith(contentSecurityPolicy: HelmetOptions['contentSecurityPolicy']): ReadyHeaders {
  const options: HelmetOptions = {
    contentSecurityPolicy,
    referrerPolicy: { policy: 'no-referrer' },
  };
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  const recorder = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  helmet(options)({} as IncomingMessage, recorder as unknown as ServerResponse, () => undefined);
  return readyHeaders(headers);
}
