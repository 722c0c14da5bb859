import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import type { AccessTokenClaims } from '../keys/access-token.js';
import { lockUser } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';

/** A request of a signed-in user about the user's own account. */
export interface OwnRequest {
  userId: string;
  claims: AccessTokenClaims;
  /** `Accept-Language`. */
  locale?: string;
}

/** Loads the user of an access token. */
@Injectable()
export class SignedInUserService {
  constructor(private readonly users: UsersService) {}

  /**
   * Returns the user.
   *
   * @throws ApiError token_revoked if the user was deleted
   */
  async find(id: string): Promise<User> {
    return existing(await this.users.findById(id));
  }

  /** Like {@link find}, but locks the user until the transaction of `manager` ends. */
  async lock(manager: EntityManager, id: string): Promise<User> {
    return existing(await lockUser(manager, id));
  }

  /**
   * Returns the error for a user whose password has changed since the user was loaded, or for a deleted user.
   */
  async changedMeanwhile({ id }: User): Promise<ApiError> {
    const user = await this.users.findById(id);
    if (!user) return new ApiError('token_revoked');
    return new ApiError('conflict', { msg: 'The password was changed in the meantime' });
  }
}

function existing(user: User | null): User {
  if (!user) throw new ApiError('token_revoked');
  return user;
}
