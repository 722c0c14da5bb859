import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, type ApiErrorCode, codeOfStatus, type ErrorBody } from './api-error.js';
import { replyOf, requestOf } from './request-of.js';
import { reasonUnavailable } from './unavailable.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the request was refused for its access token. */
    tokenRefusal?: ApiErrorCode;
  }
  interface FastifyInstance {
    /** The scheme of `WWW-Authenticate`: the word before an access token. */
    challengeScheme?: string;
  }
}

/**
 * Writes every error of the application in the one shape `{ msg, code, errors? }`. What is not a
 * refusal but a fault of ours is logged with its cause and shown as a bare 500; what is away for now
 * (see `reasonUnavailable`) is a line in the log and a 503.
 */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): void {
    sendError(exception, requestOf(host), replyOf(host));
  }
}

/** Answers `request` with `exception`, and logs it where it is a fault of ours. */
export function sendError(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = atItsAddress(toApiError(exception), request);
  if (!error) {
    reply.status(204).header('Allow', request.server.allowedMethods(request).join(', ')).send();
    return;
  }
  if (error.status === 503 && error.code !== 'overloaded') {
    request.log.warn({ reason: reasonOf(error) }, error.message);
  } else if (error.isFault) {
    request.log.error({ err: error.cause ?? exception }, error.message);
  } else if (error.code === 'overloaded') {
    // Under load there are many; who refuses sums them up.
    request.log.debug(error.message);
  }
  if (error.tokenRefusal) request.tokenRefusal = error.code;
  if (reply.sent) return;
  // What is left of a body that was not read to its end must not be taken for the next request.
  if (error.code === 'body_too_large' || error.code === 'json_too_deep') {
    reply.header('connection', 'close');
  }
  // Whatever type the route's own answer would have had.
  reply.status(error.status).type('application/json; charset=utf-8');
  reply.headers(error.headersFor(request.server.challengeScheme ?? 'Bearer')).send(error.body);
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

/** Why something is unavailable, for the log, in a word: it comes back, and many requests say so. */
export const reasonOf = ({ cause, code }: ApiError): string =>
  reasonUnavailable(cause) ?? (cause instanceof Error ? cause.message : code);

/** What a client is told of any error. */
export function toApiError(exception: unknown): ApiError {
  if (exception instanceof ApiError) return exception;
  if (reasonUnavailable(exception) !== undefined) {
    return new ApiError('unavailable', { cause: exception });
  }
  if (exception instanceof HttpException) {
    const status = exception.getStatus();
    const code = codeOfStatus(status);
    const said = whatIsSaid(exception);
    // Nest words a missing route with its address in it; a project's own sentence stays.
    const ours =
      !said || status >= 500 || status === 415 || /^Cannot [A-Z]+ /.test(exception.message);
    return new ApiError(code, {
      cause: exception,
      ...(!ours && { answer: { status, body: { code, ...said } } }),
    });
  }
  // Fastify's own errors (a malformed address, a bad content type, ...) carry their status.
  const status = (exception as { statusCode?: unknown } | undefined)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError(codeOfStatus(status), { cause: exception });
  }
  return new ApiError('internal_error', { cause: exception });
}

/**
 * The sentence of an exception of Nest's, or the several of its `ValidationPipe`, which come as a list,
 * or grouped by field. Undefined if there is none.
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
