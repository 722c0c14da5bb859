import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { requestOf } from '../common/request-of.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';
import type { OwnRequest } from './signed-in-user.service.js';

const authentication = (context: ExecutionContext) => requestOf(context).authentication;

/** Injects the signed-in user as the token names it, `{ id, username, roles }`; undefined if anonymous. */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Subject | undefined =>
    authentication(context)?.subject,
);

/** Injects all claims of the access token; undefined if anonymous. */
export const JwtPayload = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AccessTokenClaims | undefined =>
    authentication(context)?.claims,
);

/**
 * Injects the facts about a request of a signed-in user that services of the user's own account need.
 *
 * @throws ApiError unauthorized if anonymous
 */
export const CurrentRequest = createParamDecorator(
  (_data: unknown, context: ExecutionContext): OwnRequest => {
    const { authentication, headers } = requestOf(context);
    if (!authentication) throw new ApiError('unauthorized');
    const { subject, claims } = authentication;
    return { userId: subject.id, claims, locale: headers['accept-language'] };
  },
);
