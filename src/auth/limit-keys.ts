import type { FastifyRequest } from 'fastify';
import { fieldsOf } from '../common/request-of.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import type { LimitKey } from '../throttling/rate-limit.guard.js';
import { prepareEmail } from '../users/email.js';
import { readUsername } from '../users/username.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

/**
 * For `@RateLimit()`: counts by the signed-in user. It brings `JwtAuthGuard` along, at any place of the
 * limit.
 */
export const signedInUser: LimitKey = Object.assign(
  ({ authentication }: FastifyRequest): string => {
    if (authentication) return authentication.subject.id;
    throw new Error('A limit by the signed-in user stands before the guard that signs in');
  },
  { guards: [JwtAuthGuard] },
);

/**
 * For `@RateLimit()`: counts by the session of a refresh token that this server issued, and no other token.
 */
export const sessionOfRefreshToken: LimitKey = (request, app) => {
  const { refresh_token: token } = fieldsOf(request);
  if (typeof token !== 'string') return null;
  return app.get(RefreshTokens, { strict: false }).read(token)?.sessionId ?? null;
};

/**
 * Returns the key by which attempts for an unknown username or address count: the form by which users are
 * looked up. A form that joins more spellings would count differently from users' ids, and so tell which
 * users exist.
 */
export function accountKey(login: string): string {
  const username = readUsername(login);
  if (username.ok) return username.key;
  const email = prepareEmail(login);
  return email.ok ? email.key : login;
}
