import type { ArgumentsHost } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Returns the request of a guard, an interceptor, a filter or a decorator. `switchToHttp()` gives the same,
 * but makes an object and three functions each time.
 */
export const requestOf = (host: ArgumentsHost): FastifyRequest => host.getArgByIndex(0);

/** Returns the reply to {@link requestOf}. */
export const replyOf = (host: ArgumentsHost): FastifyReply => host.getArgByIndex(1);

/** Returns the fields of a body before its schema has read it; no fields if it is not a JSON object. */
export function fieldsOf({ body }: FastifyRequest): Record<string, unknown> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject ? (body as Record<string, unknown>) : {};
}
