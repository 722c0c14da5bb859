import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { setActor } from '../common/request-context.js';
import { requestOf } from '../common/request-of.js';
import { type Authentication, impersonatorOf } from './authentication.js';
import { refuseBeforeEnrolment } from './enrolment.js';
import { JwtStrategy } from './jwt.strategy.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/**
 * Lets only requests with a good access token through: `@UseGuards(JwtAuthGuard)` on a controller or a
 * method. `@CurrentUser()` then injects the signed-in user.
 *
 * @throws ApiError a 401 with its own code for each kind of bad token
 */
@Injectable()
export class JwtAuthGuard implements CanActivate {
  constructor(
    private readonly strategy: JwtStrategy,
    protected readonly header: TokenHeader,
    private readonly verified: VerifiedTokens,
  ) {}

  /** No promise for a remembered token: every guarded request would pay for it. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    if (request.authentication) return true;
    let refused: unknown;
    try {
      const token = this.header.read(request);
      const known = this.verified.recall(token);
      if (known) {
        this.verified.check(known);
        return this.admit(context, known);
      }
      const verified = this.strategy.verify(token);
      if (!(verified instanceof Error)) return this.remember(context, token, verified);
      refused = verified;
    } catch (error) {
      refused = error;
    }
    throw this.refusal(refused);
  }

  private remember(
    context: ExecutionContext,
    token: string,
    verified: Promise<Authentication>,
  ): Promise<boolean> {
    return verified.then(
      (authentication) => {
        this.verified.remember(token, authentication);
        return this.admit(context, authentication);
      },
      (error: unknown) => {
        throw this.refusal(error);
      },
    );
  }

  private admit(context: ExecutionContext, authentication: Authentication): true {
    refuseBeforeEnrolment(authentication.claims, context);
    const request = requestOf(context);
    request.authentication = authentication;
    setActor(request, authentication.subject.id, impersonatorOf(authentication));
    return true;
  }

  /**
   * Tells whether there is a token to judge.
   *
   * @throws ApiError malformed_authorization
   */
  protected bringsToken(request: FastifyRequest): boolean {
    try {
      return this.header.isPresent(request);
    } catch (error) {
      throw this.refusal(error);
    }
  }

  /** Returns the refusal in the form for the client. */
  protected refusal(error: unknown): unknown {
    return error instanceof ApiError ? this.header.refusal(error) : error;
  }
}

/**
 * Lets requests without the header, or with a header of another scheme, through as anonymous. A bad token is
 * refused as by {@link JwtAuthGuard}.
 */
@Injectable()
export class OptionalJwtAuthGuard extends JwtAuthGuard {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return !this.bringsToken(requestOf(context)) || super.canActivate(context);
  }
}
