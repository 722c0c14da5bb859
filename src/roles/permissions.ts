import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { type Follower, Following } from '../database/following.js';
import { Role } from './role.entity.js';
import { RolePermissions } from './role-permissions.js';

/**
 * What roles may do, in memory: tokens carry roles, and a change of what a role may do holds for
 * living tokens at once, on other instances as soon as they learn of it.
 */
@Injectable()
export class Permissions {
  private known = new RolePermissions();
  private readonly follower: Follower;

  constructor(
    @InjectRepository(Role) private readonly roles: Repository<Role>,
    following: Following,
  ) {
    this.follower = following.add({ name: 'roles', learn: () => this.learn() });
  }

  /** Whether the holder of `roles` has each of `permissions`. */
  allow(roles: readonly string[], permissions: readonly string[]): boolean {
    return this.known.allow(roles, permissions);
  }

  /** Which state of the roles is known, see `RolePermissions`. */
  get version(): number {
    return this.known.version;
  }

  /** Learns what this process has just changed. */
  refresh(): Promise<void> {
    return this.follower.now();
  }

  private async learn(): Promise<void> {
    this.known = new RolePermissions(await this.roles.find());
  }
}
