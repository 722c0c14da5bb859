import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { Subject } from '../keys/access-token.js';
import { Permissions } from '../roles/permissions.js';
import type { User } from '../users/user.entity.js';

/** Keeps those who administer users from getting, or acting on who has, more than they have. */
@Injectable()
export class Authority {
  constructor(private readonly permissions: Permissions) {}

  /** That `actor` may change, remove or act as `user`. @throws ApiError forbidden */
  over(actor: Subject, user: User): void {
    if (this.permissions.cover(actor.roles, user.roles)) return;
    throw new ApiError('forbidden', { msg: 'This user is allowed to do more than you are' });
  }

  /** That `actor` may give and take away each of `roles`. @throws ApiError forbidden */
  toGrant(actor: Subject, roles: readonly string[]): void {
    if (this.permissions.cover(actor.roles, roles)) return;
    throw new ApiError('forbidden', { msg: 'You can give no role that may do more than yours' });
  }

  /** That `actor` has each of `permissions`. @throws ApiError forbidden */
  toGive(actor: Subject, permissions: readonly string[]): void {
    if (this.permissions.allow(actor.roles, permissions)) return;
    throw new ApiError('forbidden', { msg: 'You can give no permission that you do not have' });
  }
}
