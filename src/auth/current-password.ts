import { applyDecorators } from '@nestjs/common';
import { refuses, refusesOverload } from './openapi.js';
import { LimitPasswordAttempts } from './password-attempts.interceptor.js';

/**
 * For a route that asks for a recent sign-in or the `current_password` of the signed-in user (see
 * `StepUpService.require`): limits failed attempts, and describes the refusals.
 */
export function TakesCurrentPassword(): MethodDecorator {
  return applyDecorators(
    LimitPasswordAttempts(),
    refuses(
      401,
      'The access token is missing or not valid, or there is neither a recent sign-in nor the password',
    ),
    refuses(403, 'The current password is wrong, or the token acts on behalf of another user'),
    refusesOverload(),
  );
}
