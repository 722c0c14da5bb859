import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import type { Subject } from '../keys/access-token.js';
import { ALL, type RolePermissions } from '../users/role-permissions.js';
import { RolesService } from '../users/roles.service.js';
import { isDisabled, User } from '../users/user.entity.js';

/**
 * Keeps administrators from gaining permissions, and from acting on users with more of them. It is asked
 * inside the transaction of each change and judges by the stored roles, because the memory of another
 * instance may be a second late.
 */
@Injectable()
export class Authority {
  constructor(private readonly roles: RolesService) {}

  /** Returns the authority of `actor`, by the roles that are both in the access token and stored. */
  async of(manager: EntityManager, actor: Subject): Promise<ActorAuthority> {
    const stored = await manager.findOneBy(User, { id: actor.id });
    const held = stored && !isDisabled(stored) ? stored.roles : [];
    const roles = actor.roles.filter((role) => held.includes(role));
    return new ActorAuthority(roles, await this.roles.current(manager));
  }
}

/** The permissions of one user over others, at one moment. */
export class ActorAuthority {
  constructor(
    private readonly roles: readonly string[],
    private readonly granted: RolePermissions,
  ) {}

  /** Tells whether the actor may change, remove or act as `user`. */
  canManage(user: User): boolean {
    return this.granted.canManage(this.roles, user.roles);
  }

  /**
   * Requires that the actor may change, remove or act as `user`.
   *
   * @throws ApiError forbidden
   */
  requireCanManage(user: User): void {
    if (this.canManage(user)) return;
    throw new ApiError('forbidden', { msg: 'This user has more permissions than you' });
  }

  /**
   * Requires that the actor may give and take away each of `roles`.
   *
   * @throws ApiError forbidden
   */
  requireCanGrantRoles(roles: readonly string[]): void {
    if (this.granted.canManage(this.roles, roles)) return;
    throw new ApiError('forbidden', {
      msg: 'You cannot give a role with more permissions than you have',
    });
  }

  /**
   * Requires that the actor may change a role with these `permissions`.
   *
   * @throws ApiError forbidden
   */
  requireCanGrantPermissions(permissions: readonly string[]): void {
    if (this.granted.allow(this.roles, permissions)) return;
    const msg = permissions.includes(ALL)
      ? 'Only a user with all permissions may change a role with all permissions or none'
      : 'You cannot give a permission that you do not have';
    throw new ApiError('forbidden', { msg });
  }

  /**
   * Requires that `user` is no administrator, by any role.
   *
   * @throws ApiError forbidden
   */
  requireCanImpersonate(user: User): void {
    if (!this.granted.allow(user.roles, [ALL])) return;
    throw new ApiError('forbidden', { msg: 'An administrator cannot be impersonated' });
  }
}
