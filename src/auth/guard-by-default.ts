import { type ExecutionContext, Injectable, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { isPublic } from '../common/public.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

/** A {@link JwtAuthGuard} that ignores tokens on a `@Public()` route. */
@Injectable()
export class DefaultGuard extends JwtAuthGuard {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return isPublic(context) || super.canActivate(context);
  }
}

/**
 * Guards every route that is not `@Public()`, including new routes without a guard of their own. A project
 * adds it to the `providers` of `src/app.module.ts`.
 */
export const guardByDefault: Provider = { provide: APP_GUARD, useClass: DefaultGuard };
