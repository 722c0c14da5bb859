import jwt from 'jsonwebtoken';
import { ApiError } from '../common/api-error.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';

/** The signed-in user of a request, and the claims of the token. */
export interface Authentication {
  subject: Subject;
  claims: AccessTokenClaims;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guards; undefined for an anonymous request. */
    authentication?: Authentication;
  }
}

/**
 * Returns the user that acts in the subject's name, by the claim `act` (RFC 8693, section 4.1); null if there
 * is none.
 */
export function impersonatorOf({ claims: { act } }: Authentication): string | null {
  const sub = (act as { sub?: unknown } | null | undefined)?.sub;
  return typeof sub === 'string' ? sub : null;
}

/** Maps an error of passport-jwt or jsonwebtoken to the table of errors. */
export function tokenError(error: unknown): Error {
  if (!(error instanceof Error)) return new ApiError('token_malformed');
  if (error instanceof ApiError) return error;
  if (error instanceof jwt.TokenExpiredError)
    return new ApiError('token_expired', { cause: error });
  if (!(error instanceof jwt.JsonWebTokenError)) return error;
  const unsigned = /^(invalid signature|jwt signature is required)$/.test(error.message);
  return new ApiError(unsigned ? 'token_signature_invalid' : 'token_malformed', { cause: error });
}
