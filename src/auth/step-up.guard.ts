import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { requestOf } from '../common/request-of.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { refuses } from './openapi.js';
import { requireStepUp, type StepUpRequirement } from './step-up.js';

const Requirement = Reflector.createDecorator<StepUpRequirement>();

/** See {@link StepUp}. */
@Injectable()
export class StepUpGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const requirement = this.reflector.getAllAndOverride(Requirement, targets);
    requireStepUp(requestOf(context).authentication?.claims ?? {}, requirement);
    return true;
  }
}

/**
 * Requires that the user has proven a credential in person within `maxAge` seconds (15 minutes by default), and
 * with `aal: 2` by two factors (RFC 9470). Use it for actions that an unattended device or a stolen token must
 * not take. A client answers the refusal by `POST /me/step-up`. The decorator brings its guards along, in order.
 */
export function StepUp(requirement: StepUpRequirement = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(
    Requirement(requirement),
    UseGuards(JwtAuthGuard, StepUpGuard),
    refuses(401, 'The access token is missing or not valid, or the sign-in is too old or too weak'),
    refuses(403, 'The token acts on behalf of another user'),
  );
}
