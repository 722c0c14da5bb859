import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  type Type,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, type ApiErrorCode, codeOfStatus, type ErrorBody } from './api-error.js';
import { replyOf, requestOf } from './request-of.js';
import { reasonUnavailable } from './unavailable.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set if the request was refused for its access token. */
    tokenRefusal?: ApiErrorCode;
  }
  interface FastifyInstance {
    /** The scheme of `WWW-Authenticate`, which is the word before an access token. */
    challengeScheme?: string;
    /** Returns a page for an address that does not exist or is malformed; undefined if the client takes no page. */
    notFoundPage?: (request: FastifyRequest, reply: FastifyReply) => string | undefined;
  }
}

/**
 * Writes every error of the application as `{ msg, code, errors? }`. A fault of ours is logged with its cause
 * and shown as a bare 500. If a resource is down (see `reasonUnavailable`), the answer is a 503 and the log
 * has a line.
 */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(private readonly filterOf: (type: Type<ExceptionFilter>) => ExceptionFilter) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = requestOf(host);
    // A body that cannot be read fails before the route's own filter is in place.
    const { form } = request.routeOptions.config;
    if (form && form !== true) this.filterOf(form).catch(toApiError(exception), host);
    else sendError(exception, request, replyOf(host));
  }
}

/** Answers `request` with `exception`, and logs a fault of ours. */
export function sendError(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = atItsAddress(toApiError(exception), request);
  if (!error) {
    reply.status(204).header('Allow', request.server.allowedMethods(request).join(', ')).send();
    return;
  }
  logError(error, exception, request);
  if (error.tokenRefusal) request.tokenRefusal = error.code;
  if (reply.sent) return;
  const page = isAboutAddress(error) && request.server.notFoundPage?.(request, reply);
  if (page) {
    reply.status(error.status).send(page);
    return;
  }
  // The route may have set another type for its own answer.
  reply.status(error.status).type('application/json; charset=utf-8');
  reply.headers(error.headersFor(request.server.challengeScheme ?? 'Bearer')).send(error.body);
}

/** Logs a fault of ours, and that a resource is down. */
export function logError(error: ApiError, exception: unknown, request: FastifyRequest): void {
  if (error.status === 503 && error.code !== 'overloaded') {
    request.log.warn({ reason: reasonOf(error) }, error.message);
  } else if (error.isFault) {
    request.log.error({ err: error.cause ?? exception }, error.message);
  } else if (error.code === 'overloaded') {
    // There are many under load. The code that refuses sums them up.
    request.log.debug(error.message);
  }
}

/**
 * Returns the error for a request without a route: 405 with `Allow` if its address has routes for other
 * methods (RFC 9110, section 15.5.6). Undefined if the request asks for these methods, by OPTIONS.
 */
function atItsAddress(error: ApiError, request: FastifyRequest): ApiError | undefined {
  if (error.code !== 'not_found' || !request.is404) return error;
  const allowed = request.server.allowedMethods(request);
  if (allowed.length === 0) return error;
  if (request.method === 'OPTIONS') return undefined;
  return new ApiError('method_not_allowed', { headers: { Allow: allowed.join(', ') } });
}

/** Tells whether no page can be at the address of a request. */
const isAboutAddress = ({ code, cause }: ApiError): boolean =>
  code === 'not_found' ||
  code === 'uri_too_long' ||
  (cause as { code?: unknown } | undefined)?.code === 'FST_ERR_BAD_URL';

/** Returns why a resource is unavailable, in a word for the log: many requests fail the same way. */
export const reasonOf = ({ cause, code }: ApiError): string =>
  reasonUnavailable(cause) ?? (cause instanceof Error ? cause.message : code);

/** Returns the error that a client sees for any exception. */
export function toApiError(exception: unknown): ApiError {
  if (exception instanceof ApiError) return exception;
  if (reasonUnavailable(exception) !== undefined) {
    return new ApiError('unavailable', { cause: exception });
  }
  if (exception instanceof HttpException) {
    const status = exception.getStatus();
    const code = codeOfStatus(status);
    const said = whatIsSaid(exception);
    // Nest's sentence for a missing route contains the address. A project's own sentence stays.
    const ours =
      !said || status >= 500 || status === 415 || /^Cannot [A-Z]+ /.test(exception.message);
    return new ApiError(code, {
      cause: exception,
      ...(!ours && { answer: { status, body: { code, ...said } } }),
    });
  }
  // Fastify's own errors (a malformed address, a bad content type, …) carry their status.
  const status = (exception as { statusCode?: unknown } | undefined)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError(codeOfStatus(status), { cause: exception });
  }
  return new ApiError('internal_error', { cause: exception });
}

/**
 * Returns the sentence of a Nest exception, or the list of a `ValidationPipe`, which may be grouped by field.
 * Undefined if there is none.
 */
function whatIsSaid(exception: HttpException): Pick<ErrorBody, 'msg' | 'errors'> | undefined {
  const answer = exception.getResponse();
  const message = typeof answer === 'string' ? answer : (answer as { message?: unknown }).message;
  if (typeof message === 'string') return { msg: message };
  const groups = Array.isArray(message) ? [[undefined, message]] : Object.entries(message ?? {});
  const errors = groups.flatMap(([field, sentences]) =>
    (Array.isArray(sentences) ? (sentences as unknown[]) : [])
      .filter((msg): msg is string => typeof msg === 'string')
      // class-validator begins a sentence with the path of the field.
      .map((msg) => ({ path: (field as string | undefined) ?? msg.split(' ', 1).join(''), msg })),
  );
  return errors[0] && { msg: errors[0].msg, errors };
}
