import { ADMIN } from './last-admin.js';
import type { Role } from './role.entity.js';

/** Every permission there is, including those that a project adds. */
export const ALL = '*';

/** The permissions of all roles at one moment, and the one rule for comparing them. */
export class RolePermissions {
  /** Which state of the roles this is: higher after each role that was made or replaced. */
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

  /** Whether the holder of `roles` has each of `permissions`. */
  allow(roles: readonly string[], permissions: readonly string[]): boolean {
    const own = new Set(roles.flatMap((role) => this.of(role)));
    return own.has(ALL) || permissions.every((permission) => own.has(permission));
  }

  /**
   * Whether the holder of `roles` may give and take away each of `others`, and act on and as its
   * holders: because of having the same role, or everything that {@link powerOf} the role says.
   */
  cover(roles: readonly string[], others: readonly string[]): boolean {
    return others.every(
      (other) => roles.includes(other) || this.allow(roles, powerOf(this.of(other))),
    );
  }
}

/**
 * The permissions that stand for a role. A role without permissions exists for routes that ask for its
 * name (`@Roles()`), and these may do anything: so it counts as every permission.
 */
export const powerOf = (permissions: readonly string[]): readonly string[] =>
  permissions.length > 0 ? permissions : [ALL];
