import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiError } from '../common/api-error.js';
import { registerGuardedRoles } from '../users/guarded-roles.js';
import { addRequirement, requirementsOf } from './requirements.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { requestOf } from '../common/request-of.js';

const RequiredRoles = Reflector.createDecorator<string[][]>();

/**
 * Lets a user through if the user has one of the roles of `@Roles()`.
 *
 * @throws ApiError forbidden
 */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const required = requirementsOf(RequiredRoles, this.reflector, context);
    const { authentication } = requestOf(context);
    const has = (role: string): boolean => authentication?.subject.roles.includes(role) ?? false;
    if (required.every((roles) => roles.some(has))) return true;
    throw new ApiError('forbidden');
  }
}

/**
 * Requires a signed-in user with at least one of `roles`. If class and method both have it, both hold. It
 * brings its guards along, in order, so it always has an effect.
 */
export function Roles(...roles: string[]): ClassDecorator & MethodDecorator {
  registerGuardedRoles(roles);
  return applyDecorators(addRequirement(RequiredRoles, roles), UseGuards(JwtAuthGuard, RolesGuard));
}
