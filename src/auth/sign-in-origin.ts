import type { FastifyRequest } from 'fastify';
import type { Origin } from '../sessions/session-start.service.js';

/** Returns the device that a request to sign in comes from. */
export const originOf = ({ headers, origin }: FastifyRequest): Origin => ({
  address: origin?.context.address ?? '',
  userAgent: headers['user-agent'] ?? '',
  locale: headers['accept-language'],
});
