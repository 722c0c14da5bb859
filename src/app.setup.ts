import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastifyCookie from '@fastify/cookie';
import { ModulesContainer } from '@nestjs/core';
import { type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import type {
  CorsOptions,
  CorsOptionsDelegate,
} from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { accountPages } from './account-pages/account-pages.module.js';
import { userCreationRoutes } from './admin/user-creation.module.js';
import { AppModule } from './app.module.js';
import { registrationRoutes } from './auth/registration.module.js';
import { provideAllowedMethods } from './common/allowed-methods.js';
import { ApiError, codeOfStatus } from './common/api-error.js';
import { ApiErrorFilter, sendError } from './common/api-error.filter.js';
import { connectionOf, CountedResponse, limitConnections } from './common/connections.js';
import { GatheredLines } from './common/gathered-lines.js';
import { readJsonBodies } from './common/json-body.js';
import { lazyCompilers } from './common/lazy-compilers.js';
import { Metrics } from './common/metrics.js';
import { forwardedAddresses } from './common/network.js';
import { describeError, PinoLogger } from './common/pino-logger.js';
import { closeQuietly } from './common/quiet-close.js';
import { RefusedTokens } from './common/refused-tokens.js';
import { provideContext } from './common/request-context.js';
import { onRequestEnd } from './common/request-end.js';
import { measureRequests } from './common/request-metrics.js';
import { setSecurityHeaders, STRICT_HEADERS } from './common/security-headers.js';
import { validateDeclared } from './common/validation.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { otherSitesWarning } from './config/sites.js';
import { setUpTelemetry } from './observability/telemetry.setup.js';
import { SentMailsModule } from './mail/sent-mails.module.js';
import { mailSignInRoutes } from './mail-sign-in/mail-sign-in.module.js';
import { serveDocs } from './openapi/api-docs.js';
import { pages } from './pages/pages.module.js';

/** The set-up of the capabilities that need the server itself. */
const SET_UPS: ((app: NestFastifyApplication, config: Config) => void | Promise<void>)[] = [
  // A capability adds its line here.
  setUpTelemetry,
  serveDocs,
];

/** The modules that a setting adds to the application. */
const OPTIONAL: ((config: Config) => Type[])[] = [
  // A capability adds its line here.
  mailSignInRoutes,
  pages,
  accountPages,
  userCreationRoutes,
];

/** Headers of answers that scripts of `CORS_ORIGINS` may read, beside those that every script may read. */
const EXPOSED_HEADERS = [
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];

/**
 * Returns the HTTP server with its timeouts and its log. It also answers requests that fail before a route is
 * found. The log goes to `logStream`, by default the standard output.
 */
export function createAdapter(
  config: Config,
  logStream?: { write(line: string): void },
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    trustProxy: config.trustProxy === false ? false : trusted(config.trustProxy),
    genReqId: () => randomUUID(),
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
    requestTimeout: 15_000,
    http: {
      headersTimeout: 5_000,
      connectionsCheckingInterval: 500,
      maxHeaderSize: 16_384,
      // Node would answer without a body; see `expectOneHost`.
      requireHostHeader: false,
      ServerResponse: CountedResponse,
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      answerClientError(error, socket);
    },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      // No hook has run for a malformed address.
      sendError(error, request, reply.header('x-request-id', request.id));
    },
    schemaController: { compilersFactory: lazyCompilers },
    logger: {
      level: config.logLevel,
      serializers: { err: describeError },
      stream: logStream ?? new GatheredLines(),
    },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  const server = fastify.server;
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    answerRaw(socket, 405, new ApiError('method_not_allowed'));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    connectionOf(request.socket).refuseRest(request);
    // Node's own answer is used here, because a pipelined request has no socket before its turn.
    const { status, body } = new ApiError('expectation_failed');
    const content = Buffer.from(JSON.stringify(body));
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': content.length,
      'x-request-id': randomUUID(),
      connection: 'close',
    };
    response.writeHead(status, headers).end(content);
  });
  if (config.trustProxy !== false) readForwardedOnce(server);
  closeQuietly(fastify);
  return adapter;
}

/** Returns the application with its settings. */
export const appModule = (config: Config): DynamicModule => ({
  module: AppModule,
  imports: [
    ConfigModule.forRoot(config),
    ...registrationRoutes(config),
    ...(config.mail.shown ? [SentMailsModule] : []),
    ...OPTIONAL.flatMap((modulesFor) => modulesFor(config)),
  ],
});

/**
 * Sets up the parts that `main` and the end-to-end tests share: body parsing, validation, filter, headers,
 * CORS, OpenAPI.
 */
export async function setupApp(app: NestFastifyApplication, config: Config): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  app.useLogger(new PinoLogger(fastify.log));
  limitConnections(fastify);
  setSecurityHeaders(fastify);
  expectOneHost(fastify);
  provideAllowedMethods(fastify);
  readJsonBodies(fastify);
  // Fields that guards set exist from the start, because V8 is faster if all requests have one shape.
  fastify.decorateRequest('authentication', undefined);
  fastify.decorateRequest('tokenRefusal', undefined);
  // A challenge has to name a scheme, even if tokens follow no word (RFC 9110, section 11.6.1).
  fastify.decorate('challengeScheme', config.jwt.headerType || 'Bearer');
  provideContext(fastify, config.trustProxy !== false);
  validateDeclared(app.get(ModulesContainer));
  app.useGlobalFilters(new ApiErrorFilter((filter) => app.get(filter, { strict: false })));
  // Pages read and write their cookies themselves, and need the plugin only to load its parser.
  await fastify.register(fastifyCookie, config.authCookies ? {} : { hook: false });
  logRequests(fastify, app.get(RefusedTokens));
  measureRequests(fastify, app.get(Metrics));
  for (const setUp of SET_UPS) await setUp(app, config);
  const warning = otherSitesWarning(config);
  if (warning) fastify.log.warn(warning);
  if (config.corsOrigins.length > 0) {
    const options = {
      origin: [...config.corsOrigins],
      credentials: config.authCookies,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    };
    // Other requests by OPTIONS ask for the methods. The plugin would refuse them in a shape of its own.
    const delegate: CorsOptionsDelegate<FastifyRequest> = ({ headers }, answer) => {
      const preflight =
        headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
      answer(null, { ...options, preflight } as CorsOptions);
    };
    (app as INestApplication).enableCors(delegate);
  }
}

/**
 * Logs one line for each request, without any part that may contain a secret. Requests that are refused for
 * their token are summed up instead. Their lines appear only at the level `debug`.
 */
function logRequests(fastify: FastifyInstance, refusedTokens: RefusedTokens): void {
  onRequestEnd(fastify, (request, { status, route = null, ms }) => {
    const { tokenRefusal } = request;
    if (tokenRefusal) refusedTokens.count(tokenRefusal);
    request.log[tokenRefusal ? 'debug' : 'info'](
      {
        method: request.method,
        route,
        status,
        ...(ms !== undefined && { ms: Math.round(ms * 10) / 10 }),
      },
      'request',
    );
  });
}

/**
 * Removes ports, brackets and zones from `X-Forwarded-For` before Fastify or a handler reads it. Otherwise
 * the list of trusted proxies would not contain `10.0.0.6:443`, and all clients would count as one.
 */
function readForwardedOnce(server: FastifyInstance['server']): void {
  server.prependListener('request', ({ headers }: IncomingMessage) => {
    const header = headers['x-forwarded-for'];
    if (header === undefined) return;
    headers['x-forwarded-for'] = forwardedAddresses(String(header)).join(', ');
  });
}

/**
 * Refuses a request without a `Host`, or with two (RFC 9112, section 3.2). A proxy may have used the second
 * one, and Node takes the first.
 */
function expectOneHost(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw: { rawHeaders, httpVersion } }, _reply, done) => {
    let hosts = 0;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
    }
    const right = hosts === 1 || (hosts === 0 && httpVersion === '1.0');
    done(right ? undefined : new ApiError('bad_request'));
  });
}

/** Returns Fastify's `trustProxy`: a list of addresses, or the number of proxies before this server. */
function trusted(
  setting: number | string[],
): string[] | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}

/** How long the rest of a refused request is read, in milliseconds. */
const LINGER = 1_000;

/** Answers bytes that are no HTTP request. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (connectionOf(socket).isAnswered) {
    socket.destroySoon();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 431
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 408
        : error.code === 'HPE_INVALID_METHOD'
          ? 405
          : 400;
  answerRaw(socket, status, new ApiError(codeOfStatus(status)));
}

/** Sockets whose request was answered before its end. */
const lingering = new WeakSet<Socket>();

/**
 * Writes an answer and drops all further bytes for {@link LINGER}. Closing with unread bytes would reset the
 * connection, and the client might not see the answer.
 */
function answerRaw(socket: Socket, status: number, error: ApiError): void {
  if (lingering.has(socket)) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  lingering.add(socket);
  // After CONNECT, Node has removed its own listener, so a reset would end the process.
  socket.on('error', () => undefined);
  setTimeout(() => socket.destroy(), LINGER).unref();
  const body = JSON.stringify(error.body);
  socket.end(
    [
      `HTTP/1.1 ${status} ${error.code}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${randomUUID()}`,
      `${STRICT_HEADERS.lines}Connection: close`,
      '',
      body,
    ].join('\r\n'),
  );
}
