import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { type Follower, Following } from '../database/following.js';
import { ADMIN } from '../users/last-admin.js';
import { Role } from './role.entity.js';

/** Every permission there is, those that a project adds among them. */
export const ALL = '*';

/**
 * What roles may do, in memory: tokens carry roles, and a change of what a role may do holds for
 * living tokens at once, on other instances as soon as they learn of it.
 */
@Injectable()
export class Permissions {
  private byRole: ReadonlyMap<string, readonly string[]> = new Map();
  private readonly follower: Follower;

  constructor(
    @InjectRepository(Role) private readonly roles: Repository<Role>,
    following: Following,
  ) {
    this.follower = following.add({ name: 'roles', learn: () => this.learn() });
  }

  /** The permissions of a role; none where there is no such role. */
  of(role: string): readonly string[] {
    return role === ADMIN ? [ALL] : (this.byRole.get(role) ?? []);
  }

  /** Whether one of `roles` has each of `permissions`. */
  allow(roles: readonly string[], permissions: readonly string[]): boolean {
    const own = new Set(roles.flatMap((role) => this.of(role)));
    return own.has(ALL) || permissions.every((permission) => own.has(permission));
  }

  /**
   * Whether who has `roles` is above each of `others`, and so may grant it, take it away, and act on
   * or as those who have it: has it as well, or all its permissions. A role without any is good for
   * what `@Roles()` guards by its name, so no permissions stand for it.
   */
  cover(roles: readonly string[], others: readonly string[]): boolean {
    return others.every((other) => {
      const permissions = this.of(other);
      const needed = permissions.length > 0 ? permissions : [ALL];
      return roles.includes(other) || this.allow(roles, needed);
    });
  }

  /** Learns what this process has just changed. */
  refresh(): Promise<void> {
    return this.follower.now();
  }

  private async learn(): Promise<void> {
    const roles = await this.roles.find();
    this.byRole = new Map(roles.map(({ name, permissions }) => [name, permissions]));
  }
}
