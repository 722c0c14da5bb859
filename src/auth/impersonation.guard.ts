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

/** The methods that change nothing (RFC 9110, section 9.2.1). */
const READS = ['GET', 'HEAD'];

/** @throws ApiError impersonation_forbidden where somebody acts on behalf of the signed-in user */
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
 * Guards a controller of the signed-in user's own account. An administrator who acts for the user may
 * read there, and change nothing: this holds for every route that the controller has or gets.
 */
export function OwnAccount(): ClassDecorator {
  return applyDecorators(UseGuards(JwtAuthGuard, OwnAccountGuard));
}

/**
 * Asks for a user who is signed in and not impersonated, for what is theirs alone to do. It brings its
 * guards along, in order.
 */
export function RefuseImpersonation(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    UseGuards(JwtAuthGuard, ImpersonationGuard),
    refuses(403, 'Not on behalf of another user'),
  );
}
