import { randomUUID } from 'node:crypto';
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTooManyRequestsResponse } from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { ApiError, type ApiErrorCode } from '../common/api-error.js';
import { fieldsOf, requestOf } from '../common/request-of.js';
import { Config } from '../config/config.js';
import { SessionsService } from '../sessions/sessions.service.js';
import {
  type PasswordAttempt,
  FailedAttemptLimits,
  type AttemptOutcome,
} from '../throttling/failed-attempt-limits.js';
import { networkOf } from '../common/network.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { UsersService } from '../users/users.service.js';
import { accountKey } from './limit-keys.js';

/** The answers that tell a client that its password was wrong. */
const WRONG: ApiErrorCode[] = ['bad_credentials', 'wrong_password'];

/** The answers that a client gets only with the right password. */
const RIGHT: ApiErrorCode[] = ['user_disabled', 'email_not_verified', 'second_factor_required'];

/** Counts the wrong passwords of a route; see {@link LimitPasswordAttempts}. */
@Injectable()
export class PasswordAttemptsInterceptor implements NestInterceptor {
  constructor(
    private readonly config: Config,
    private readonly limits: RateLimits,
    private readonly failedAttempts: FailedAttemptLimits,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = requestOf(context);
    const attempt = this.attemptIn(request);
    if (!attempt) return from([await answerOf(next, context)]);
    if (this.limits.exempt(request)) return next.handle();
    const admitted = await this.failedAttempts.begin(attempt);
    let outcome: AttemptOutcome = 'unknown';
    try {
      const answer: unknown = await lastValueFrom(next.handle());
      outcome = 'succeeded';
      return from([answer]);
    } catch (error) {
      if (error instanceof ApiError && WRONG.includes(error.code)) outcome = 'failed';
      if (error instanceof ApiError && RIGHT.includes(error.code)) outcome = 'succeeded';
      throw error;
    } finally {
      await admitted.finish(outcome);
    }
  }

  /** Returns the attempt that a request makes; undefined if it has no name or no password. */
  private attemptIn(request: FastifyRequest): PasswordAttempt | undefined {
    const subject = request.authentication?.subject;
    const password = stringIn(request, subject ? 'current_password' : 'password');
    const login = stringIn(request, 'username').trim();
    if (password === '' || (!subject && login === '')) return undefined;
    const network = this.limits.networkOf(request);
    let userId = subject?.id;
    return {
      network,
      account: async () => {
        userId ??= await this.users.findIdByLogin(login, this.config.identifier);
        return userId === undefined ? `text ${accountKey(login)}` : `user ${userId}`;
      },
      // Without a user, a random id keeps the statements and their time equal.
      isKnown: () => this.isKnown(userId ?? randomUUID(), network),
    };
  }

  private async isKnown(userId: string, network: string): Promise<boolean> {
    const addresses = await this.sessions.addressesOf(userId);
    return addresses.some((address) => networkOf(address) === network);
  }
}

/** Reads a field of a body before its schema does. Returns the empty text if it is no string. */
function stringIn(request: FastifyRequest, name: string): string {
  const value = fieldsOf(request)[name];
  return typeof value === 'string' ? value : '';
}

/**
 * Returns the answer of a route to a request without an attempt.
 *
 * @throws Error if the route judged a password all the same: its attempts would not be counted
 */
async function answerOf(next: CallHandler, context: ExecutionContext): Promise<unknown> {
  try {
    return await lastValueFrom(next.handle());
  } catch (cause) {
    if (!(cause instanceof ApiError && WRONG.includes(cause.code))) throw cause;
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    throw new Error(
      `@LimitPasswordAttempts() does not count the passwords of ${route}: it needs username and password, or ` +
        'a guard and current_password',
      { cause },
    );
  }
}

/**
 * Limits the wrong passwords of a route: `username` and `password` of its body, or on a guarded route the
 * `current_password` of the signed-in user; see `FailedAttemptLimits`. Attempts count by the user's id, so a name, an
 * address and a new name are one account. If there is no such user, they count by the text. The route answers
 * `bad_credentials` or `wrong_password` to a wrong password.
 */
export function LimitPasswordAttempts(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(PasswordAttemptsInterceptor),
    ApiTooManyRequestsResponse({ description: 'Too many requests' }),
  );
}
