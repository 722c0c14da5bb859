import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { requestOf } from '../common/request-of.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';

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
