import { Injectable } from '@nestjs/common';
import type { ApiError } from '../common/api-error.js';
import type { User } from '../users/user.entity.js';

/** An answer in a project's own shape. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/**
 * The claims and answers that a project may change: it extends this class, and names its own class in
 * `LatchkeyModule.forRoot({ hooks })`. (The methods are jwt_data_loader and the three loaders of the
 * tutorial's library.)
 */
@Injectable()
export class AuthHooks {
  /** Claims to add to the access tokens of `user`; Latchkey's own claims cannot be replaced. */
  claims(_user: User): Record<string, unknown> | Promise<Record<string, unknown>> {
    return {};
  }

  /** The answer for an expired token; undefined keeps Latchkey's. */
  expiredToken(_error: ApiError): Answer | undefined {
    return undefined;
  }

  /** The answer for any other token or header that is not accepted; undefined keeps Latchkey's. */
  invalidToken(_error: ApiError): Answer | undefined {
    return undefined;
  }

  /** The answer where the header is missing; undefined keeps Latchkey's. */
  missingToken(_error: ApiError): Answer | undefined {
    return undefined;
  }
}
