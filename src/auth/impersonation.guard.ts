import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { refuses } from './openapi.js';
import { requestOf } from '../common/request-of.js';

/** The methods that change no data (RFC 9110, section 9.2.1). */
const READS = ['GET', 'HEAD'];

/**
 * Refuses a request of an impersonator.
 *
 * @throws ApiError impersonation_forbidden
 */
export function refuseImpersonation({ authentication }: FastifyRequest): void {
  if (authentication?.claims.act) throw new ApiError('impersonation_forbidden');
}

/** See {@link RefuseImpersonation}. */
@Injectable()
export class ImpersonationGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    refuseImpersonation(requestOf(context));
    return true;
  }
}

/** See {@link OwnAccount}. */
@Injectable()
export class OwnAccountGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context);
    if (!READS.includes(request.method)) refuseImpersonation(request);
    return true;
  }
}

/**
 * Guards a controller of the signed-in user's own account. An administrator that impersonates the user may
 * only read there. This holds for every present and future route of the controller.
 */
export function OwnAccount(): ClassDecorator {
  return applyDecorators(UseGuards(JwtAuthGuard, OwnAccountGuard));
}

/**
 * Requires a signed-in user that is not impersonated, for actions that only the user may take. It brings its
 * guards along, in order.
 */
export function RefuseImpersonation(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    UseGuards(JwtAuthGuard, ImpersonationGuard),
    refuses(403, 'The token acts on behalf of another user'),
  );
}
