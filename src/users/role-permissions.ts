import { ADMIN } from './last-admin.js';
import type { Role } from './role.entity.js';

/** Every permission, including those of a project. */
export const ALL = '*';

/** The permissions of all roles at one moment, and the one rule for comparing them. */
export class RolePermissions {
  /** The version of the roles. It rises with each role that is made or replaced. */
  readonly version: number;
  private readonly byRole: ReadonlyMap<string, readonly string[]>;

  constructor(stored: readonly Role[] = []) {
    this.version = stored.reduce((last, { updatedAt }) => Math.max(last, updatedAt.getTime()), 0);
    this.byRole = new Map(stored.map(({ name, permissions }) => [name, permissions]));
  }

  /** The permissions of a role; empty if there is no such role. */
  of(role: string): readonly string[] {
    return role === ADMIN ? [ALL] : (this.byRole.get(role) ?? []);
  }

  /** Tells whether the holder of `roles` has each of `permissions`. */
  allow(roles: readonly string[], permissions: readonly string[]): boolean {
    const own = new Set(roles.flatMap((role) => this.of(role)));
    return own.has(ALL) || permissions.every((permission) => own.has(permission));
  }

  /**
   * Tells whether the holder of `roles` may give and take away each of `others`, and act on and as its
   * holders. The holder needs the same role, or all permissions of {@link effectivePermissions}.
   */
  canManage(roles: readonly string[], others: readonly string[]): boolean {
    return others.every(
      (other) => roles.includes(other) || this.allow(roles, effectivePermissions(this.of(other))),
    );
  }
}

/**
 * Returns the permissions that stand for a role. A role without permissions exists for routes that ask for
 * its name (`@Roles()`), and these may do anything, so it counts as every permission.
 */
export const effectivePermissions = (permissions: readonly string[]): readonly string[] =>
  permissions.length > 0 ? permissions : [ALL];
