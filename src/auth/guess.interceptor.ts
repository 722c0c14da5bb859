import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTooManyRequestsResponse } from '@nestjs/swagger';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { ApiError, type ApiErrorCode } from '../common/api-error.js';
import { requestOf } from '../common/request-of.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { GuessLimits, type Outcome } from '../throttling/guess-limits.js';
import { networkOf } from '../common/network.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { UsersService } from '../users/users.service.js';
import { accountKey } from './limit-keys.js';

/** The answers that tell a client that its password was wrong. */
const WRONG: ApiErrorCode[] = ['bad_credentials', 'wrong_password'];

/** Those that it gets only with the right one. */
const RIGHT: ApiErrorCode[] = ['user_disabled', 'email_not_verified'];

/** Counts the wrong passwords of a route, see {@link LimitGuesses}. */
@Injectable()
export class GuessInterceptor implements NestInterceptor {
  constructor(
    private readonly limits: RateLimits,
    private readonly guesses: GuessLimits,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = requestOf(context);
    const body = (request.body ?? {}) as { username?: unknown; current_password?: unknown };
    const subject = request.authentication?.subject;
    const login = subject ? subject.username : body.username;
    // A body that is not one yet is refused by the route, before there is a guess; and a signed-in user
    // who does without the password makes none.
    const guesses = typeof login === 'string' && (!subject || 'current_password' in body);
    if (!guesses || this.limits.exempt(request)) return next.handle();
    const network = this.limits.networkOf(request);
    const attempt = await this.guesses.begin({
      network,
      account: accountKey(login),
      isKnown: () => this.isKnown(login, network),
    });
    let outcome: Outcome = 'unknown';
    try {
      const answer: unknown = await lastValueFrom(next.handle());
      outcome = 'right';
      return from([answer]);
    } catch (error) {
      if (error instanceof ApiError && WRONG.includes(error.code)) outcome = 'wrong';
      if (error instanceof ApiError && RIGHT.includes(error.code)) outcome = 'right';
      throw error;
    } finally {
      await attempt.settle(outcome);
    }
  }

  private async isKnown(login: string, network: string): Promise<boolean> {
    const user = await this.users.findByLogin(login);
    const addresses = user ? await this.sessions.addressesOf(user.id) : [];
    return addresses.some((address) => networkOf(address) === network);
  }
}

/**
 * Limits the wrong passwords that a route takes for the `username` of its body, or on a guarded route
 * for the signed-in user and its `current_password`, see `GuessLimits`. The route answers
 * `bad_credentials` or `wrong_password` to a wrong one.
 */
export function LimitGuesses(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(GuessInterceptor),
    ApiTooManyRequestsResponse({ description: 'Too many requests' }),
  );
}
