import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { ChangeFeed, type Subscription } from '../database/change-feed.js';
import { Role } from './role.entity.js';
import { RolePermissions } from './role-permissions.js';

/**
 * Keeps the permissions of all roles in memory. Tokens carry roles only, so a change of a role's permissions
 * holds for living tokens at once, and on other instances as soon as they have loaded it.
 */
@Injectable()
export class PermissionsService {
  private known = new RolePermissions();
  private readonly subscription: Subscription;

  constructor(
    @InjectRepository(Role) private readonly roles: Repository<Role>,
    changeFeed: ChangeFeed,
  ) {
    this.subscription = changeFeed.subscribe({ name: 'roles', load: () => this.load() });
  }

  /** Tells whether the holder of `roles` has each of `permissions`. */
  allow(roles: readonly string[], permissions: readonly string[]): boolean {
    return this.known.allow(roles, permissions);
  }

  /** The version of the loaded roles; see `RolePermissions`. */
  get version(): number {
    return this.known.version;
  }

  /** Loads the changes of this process. */
  refresh(): Promise<void> {
    return this.subscription.now();
  }

  private async load(): Promise<void> {
    this.known = new RolePermissions(await this.roles.find());
  }
}
