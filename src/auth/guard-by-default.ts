import { type ExecutionContext, Injectable, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { isPublic } from '../common/public.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

/** A {@link JwtAuthGuard} that looks at no token of a route that is `@Public()`. */
@Injectable()
export class DefaultGuard extends JwtAuthGuard {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return isPublic(context) || super.canActivate(context);
  }
}

/**
 * Guards every route that is not `@Public()`, a new one that has no guard of its own included. A project
 * adds it to the `providers` of `src/app.module.ts`.
 */
export const guardByDefault: Provider = { provide: APP_GUARD, useClass: DefaultGuard };
