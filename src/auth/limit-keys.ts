import type { ModuleRef } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { prepareEmail } from '../users/email.js';
import { prepareUsername } from '../users/username.js';

/** For `@RateLimit()`: the signed-in user; below a guard. */
export function signedInUser(request: FastifyRequest): string | undefined {
  return request.authentication?.subject.id;
}

/** For `@RateLimit()`: the session of a refresh token that was issued here, and of no other. */
export function sessionOfRefreshToken(request: FastifyRequest, app: ModuleRef): string | undefined {
  const { refresh_token: token } = (request.body ?? {}) as { refresh_token?: unknown };
  if (typeof token !== 'string') return undefined;
  return app.get(RefreshTokens, { strict: false }).read(token)?.sessionId;
}

/**
 * What a username or e-mail address counts as, whether there is such a user or not: its prepared form,
 * and of an address the mailbox without the dots and the tag that many providers ignore.
 */
export function accountKey(login: string): string {
  const username = prepareUsername(login);
  if (username.ok) return username.key;
  const email = prepareEmail(login);
  if (!email.ok) return login;
  const [local = '', domain = ''] = email.key.split('@');
  return `${local.replace(/(?<=.)\+.*$/, '').replaceAll('.', '')}@${domain}`;
}
