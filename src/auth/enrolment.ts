import { type CustomDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { AccessTokenClaims } from '../keys/access-token.js';

const KEY = 'latchkey:allow-before-enrolment';

/**
 * Lets users through that have to enrol a second factor first (`MFA_REQUIRED`). All other routes refuse them:
 * use it only for routes that enrol a factor, or end the session.
 */
export const AllowBeforeEnrolment = (): CustomDecorator => SetMetadata(KEY, true);

/**
 * Refuses a token whose user has to enrol a second factor first. Without a route every such token is refused.
 *
 * @throws ApiError enrolment_required
 */
export function refuseBeforeEnrolment(
  { enrolment_required: mustEnrol }: AccessTokenClaims,
  context?: ExecutionContext,
): void {
  if (!mustEnrol) return;
  const targets = context ? [context.getHandler(), context.getClass()] : [];
  if (!isAllowedBeforeEnrolment(targets)) throw new ApiError('enrolment_required');
}

/** Tells whether a route lets users through before they enrol, by its handler or its class. */
export const isAllowedBeforeEnrolment = (targets: object[]): boolean =>
  targets.some((target) => Reflect.getMetadata(KEY, target) === true);
