import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { setActor } from '../common/request-context.js';
import { type Authentication, impersonatorOf, tokenError } from './authentication.js';
import { JwtStrategy } from './jwt.strategy.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/**
 * Lets only requests with a good access token through: `@UseGuards(JwtAuthGuard)` on a controller or
 * a method, in a module that imports `AuthModule`. Who is signed in is had by `@CurrentUser()`.
 *
 * @throws ApiError a 401 with a code for each way a token can be bad
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard() {
  constructor(
    strategy: JwtStrategy,
    protected readonly header: TokenHeader,
    private readonly verified: VerifiedTokens,
  ) {
    // Passport takes a strategy itself where it takes the name of one. A name would be looked up in
    // a registry of the whole process, where a second application's strategy takes the first one's
    // place.
    super({ defaultStrategy: strategy as unknown as string });
  }

  /** Without a promise where the token is remembered: every guarded request would pay for it. */
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.authentication) return true;
    try {
      const token = this.header.read(request);
      const known = this.verified.recall(token);
      return known ? this.admit(request, known) : this.verify(context, token);
    } catch (error) {
      throw this.refusal(error);
    }
  }

  private async verify(context: ExecutionContext, token: string): Promise<boolean> {
    try {
      await super.canActivate(context);
      const request = context
        .switchToHttp()
        .getRequest<FastifyRequest & { user: Authentication }>();
      this.verified.remember(token, request.user);
      return this.admit(request, request.user);
    } catch (error) {
      throw this.refusal(error);
    }
  }

  private admit(request: FastifyRequest, authentication: Authentication): true {
    this.verified.check(authentication);
    request.authentication = authentication;
    setActor(request, authentication.subject.id, impersonatorOf(authentication));
    return true;
  }

  private refusal(error: unknown): unknown {
    return error instanceof ApiError ? this.header.refusal(error) : error;
  }

  /** Keeps passport's reason, which the base class drops. */
  override handleRequest(error: unknown, user: Authentication | false, info: unknown): never {
    if (!user) throw tokenError(error ?? info);
    return user as never;
  }
}

/**
 * Lets requests without the header through as anonymous; a bad token is refused as by
 * {@link JwtAuthGuard}.
 */
@Injectable()
export class OptionalJwtAuthGuard extends JwtAuthGuard {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    return !this.header.isPresent(request) || super.canActivate(context);
  }
}
