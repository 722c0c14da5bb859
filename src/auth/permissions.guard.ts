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
import { Permissions as Granted } from '../roles/permissions.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

const RequiredPermissions = Reflector.createDecorator<string[]>();

/** Lets users through whose roles grant what `@Permissions()` names. @throws ApiError forbidden */
@Injectable()
export class PermissionsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly granted: Granted,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    // Those on the class hold for every method, whatever the method asks for besides.
    const required: (string[] | undefined)[] = targets.map((target) =>
      this.reflector.get(RequiredPermissions, target),
    );
    const { authentication } = requestOf(context);
    const roles = authentication?.subject.roles;
    if (
      roles &&
      this.granted.allow(
        roles,
        required.flatMap((names) => names ?? []),
      )
    )
      return true;
    throw new ApiError('forbidden');
  }
}

/**
 * Asks for a signed-in user whose roles grant each of `permissions`. It brings its guards along, in
 * order, so that it cannot stand on a route without effect.
 */
export function Permissions(...permissions: string[]): ClassDecorator & MethodDecorator {
  return applyDecorators(
    RequiredPermissions(permissions),
    UseGuards(JwtAuthGuard, PermissionsGuard),
  );
}
