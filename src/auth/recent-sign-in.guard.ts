import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { requestOf } from '../common/request-of.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { refuses } from './openapi.js';
import { requireRecentSignIn } from './step-up.js';

/** See {@link RecentSignIn}. */
@Injectable()
export class RecentSignInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { authentication } = requestOf(context);
    requireRecentSignIn(authentication?.claims ?? {});
    return true;
  }
}

/**
 * Requires a sign-in of the last 15 minutes, in person. Use it for actions that an unattended device or a
 * stolen token must not take. It brings its guards along, in order.
 */
export function RecentSignIn(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    UseGuards(JwtAuthGuard, RecentSignInGuard),
    refuses(401, 'No good access token, or no recent sign-in'),
    refuses(403, 'Not on behalf of another user'),
  );
}
