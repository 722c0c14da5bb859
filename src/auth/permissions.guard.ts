import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiError } from '../common/api-error.js';
import { requestOf } from '../common/request-of.js';
import { PermissionsService } from '../users/permissions.service.js';
import { addRequirement, requirementsOf } from './requirements.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

const RequiredPermissions = Reflector.createDecorator<string[][]>();

/**
 * Lets a user through if the user's roles grant the permissions of `@Permissions()`.
 *
 * @throws ApiError forbidden
 */
@Injectable()
export class PermissionsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly granted: PermissionsService,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const required = requirementsOf(RequiredPermissions, this.reflector, context);
    const roles = requestOf(context).authentication?.subject.roles;
    if (roles && this.granted.allow(roles, required.flat())) return true;
    throw new ApiError('forbidden');
  }
}

/**
 * Requires a signed-in user whose roles grant each of `permissions`. If class and method both have it, both
 * hold. It brings its guards along, in order, so it always has an effect.
 *
 * @throws Error at the start if it names no permission
 */
export function Permissions(...permissions: string[]): ClassDecorator & MethodDecorator {
  if (permissions.length === 0) throw new Error('@Permissions() names no permission');
  return applyDecorators(
    addRequirement(RequiredPermissions, permissions),
    UseGuards(JwtAuthGuard, PermissionsGuard),
  );
}
