import { Injectable } from '@nestjs/common';
import type { ApiError } from '../common/api-error.js';
import type { User } from '../users/user.entity.js';

/** An answer in a project's own shape. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/**
 * The claims and answers that a project may change. It extends this class, and passes its own class to
 * `LatchkeyModule.forRoot({ hooks })`. (The methods are jwt_data_loader and the three loaders of the
 * tutorial's library.)
 */
@Injectable()
export class AuthHooks {
  /**
   * Returns claims to add to the access tokens of `user`. Latchkey's own claims cannot be replaced. Some sign-ins wait
   * for it inside their transaction, so it must not wait for another service for long.
   */
  claims(_user: User): Record<string, unknown> | Promise<Record<string, unknown>> {
    return {};
  }

  /** Returns the answer for an expired token; undefined keeps Latchkey's. */
  expiredToken(_error: ApiError): Answer | undefined {
    return undefined;
  }

  /** Returns the answer for any other refused token or header; undefined keeps Latchkey's. */
  invalidToken(_error: ApiError): Answer | undefined {
    return undefined;
  }

  /** Returns the answer for a missing header; undefined keeps Latchkey's. */
  missingToken(_error: ApiError): Answer | undefined {
    return undefined;
  }
}
