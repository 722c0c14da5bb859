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
import { SessionsService } from '../sessions/sessions.service.js';
import { type Guess, GuessLimits, type Outcome } from '../throttling/guess-limits.js';
import { networkOf } from '../common/network.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { UsersService } from '../users/users.service.js';
import { accountKey } from './limit-keys.js';

/** The answers that tell a client that its password was wrong. */
const WRONG: ApiErrorCode[] = ['bad_credentials', 'wrong_password'];

/** The answers that a client gets only with the right password. */
const RIGHT: ApiErrorCode[] = ['user_disabled', 'email_not_verified'];

/** Counts the wrong passwords of a route; see {@link LimitGuesses}. */
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
    const guess = this.guessOf(request);
    if (!guess) return from([await answerOf(next, context)]);
    if (this.limits.exempt(request)) return next.handle();
    const attempt = await this.guesses.begin(guess);
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

  /** Returns the guess that a request makes; undefined if it has no name or no password. */
  private guessOf(request: FastifyRequest): Guess | undefined {
    const subject = request.authentication?.subject;
    const password = stringIn(request, subject ? 'current_password' : 'password');
    const login = stringIn(request, 'username').trim();
    if (password === '' || (!subject && login === '')) return undefined;
    const network = this.limits.networkOf(request);
    let userId = subject?.id;
    return {
      network,
      account: async () => {
        userId ??= await this.users.findIdByLogin(login);
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
 * Returns the answer of a route to a request without a guess.
 *
 * @throws Error if the route judged a password all the same: its guesses would not be counted
 */
async function answerOf(next: CallHandler, context: ExecutionContext): Promise<unknown> {
  try {
    return await lastValueFrom(next.handle());
  } catch (cause) {
    if (!(cause instanceof ApiError && WRONG.includes(cause.code))) throw cause;
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    throw new Error(
      `@LimitGuesses() does not count the passwords of ${route}: it needs username and password, or ` +
        'a guard and current_password',
      { cause },
    );
  }
}

/**
 * Limits the wrong passwords of a route: `username` and `password` of its body, or on a guarded route the
 * `current_password` of the signed-in user; see `GuessLimits`. Guesses count by the user's id, so a name, an
 * address and a new name are one account. If there is no such user, they count by the text. The route answers
 * `bad_credentials` or `wrong_password` to a wrong password.
 */
export function LimitGuesses(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(GuessInterceptor),
    ApiTooManyRequestsResponse({ description: 'Too many requests' }),
  );
}
