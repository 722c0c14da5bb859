import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { lock } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import { ChangeFeed } from '../database/change-feed.js';
import { rowLock } from '../database/row-lock.js';
import { ADMIN } from './last-admin.js';
import { UserRole } from './user-role.entity.js';
import { isGuardedRole } from './guarded-roles.js';
import { PermissionsService } from './permissions.service.js';
import { Role } from './role.entity.js';
import { ALL, effectivePermissions, RolePermissions } from './role-permissions.js';

/** A role in the form of the API. */
export interface RoleView {
  name: string;
  permissions: string[];
  builtIn: boolean;
}

/**
 * Judges a change of a role by the permissions that it needs, in the transaction of the change. An error
 * undoes the change.
 */
export type PermitRole = (manager: EntityManager, needed: readonly string[]) => Promise<void>;

/** Stores roles and their permissions. */
@Injectable()
export class RolesService {
  constructor(
    @InjectRepository(Role) private readonly roles: Repository<Role>,
    private readonly database: Database,
    private readonly changeFeed: ChangeFeed,
    private readonly permissions: PermissionsService,
    private readonly events: EventsService,
  ) {}

  /** Returns every role, by name. */
  async list(): Promise<RoleView[]> {
    const stored = await this.roles.find({ order: { name: 'ASC' } });
    return [
      { name: ADMIN, permissions: [ALL], builtIn: true },
      ...stored.map(({ name, permissions }) => ({ name, permissions, builtIn: false })),
    ];
  }

  /** Returns the names that no role has, no user holds and no route asks for, so they are probably misspelt. */
  async unknown(names: readonly string[]): Promise<string[]> {
    const known = new Set((await this.list()).map(({ name }) => name));
    const held = await this.roles.manager.find(UserRole, {
      select: { role: true },
      where: { role: In(names) },
    });
    for (const { role } of held) known.add(role);
    return names.filter((name) => !known.has(name) && !isGuardedRole(name));
  }

  /**
   * Makes a role, or replaces its permissions. The change holds at once for tokens that carry the role.
   *
   * @throws ApiError role_built_in
   */
  async put(name: string, permissions: string[], permit: PermitRole): Promise<RoleView> {
    if (name === ADMIN) throw new ApiError('role_built_in');
    const unique = [...new Set(permissions)].sort();
    await this.database.transaction(async (manager) => {
      await permit(manager, [
        ...(await this.effectivePermissionsBefore(manager, name)),
        ...effectivePermissions(unique),
      ]);
      const updatedAt = await this.afterNewest(manager);
      await manager.upsert(Role, { name, permissions: unique, updatedAt }, ['name']);
      await this.events.publish(manager, { type: 'role.changed', name, permissions: unique });
      await this.changeFeed.notify(manager);
    });
    await this.permissions.refresh();
    return { name, permissions: unique, builtIn: false };
  }

  /**
   * Removes a role without holders.
   *
   * @throws ApiError role_built_in, role_in_use, not_found
   */
  async delete(name: string, permit: PermitRole): Promise<void> {
    if (name === ADMIN) throw new ApiError('role_built_in');
    await this.database.transaction(async (manager) => {
      await permit(manager, await this.effectivePermissionsBefore(manager, name));
      const { affected } = await manager.delete(Role, { name });
      if (affected !== 1) throw noSuchRole();
      await this.events.publish(manager, { type: 'role.changed', name, permissions: null });
      // A grant at this moment has locked the row until it is committed.
      if (await manager.existsBy(UserRole, { role: name })) throw new ApiError('role_in_use');
      await this.changeFeed.notify(manager);
    });
    await this.permissions.refresh();
  }

  /**
   * Requires that all of `names` exist, and that none is removed before `manager` commits.
   *
   * @throws ApiError invalid_parameter
   */
  async expect(manager: EntityManager, names: readonly string[]): Promise<void> {
    const stored = await manager.find(Role, {
      where: { name: In(names) },
      ...rowLock(manager, 'share'),
    });
    const known = new Set([ADMIN, ...stored.map(({ name }) => name)]);
    const unknown = names.find((name) => !known.has(name));
    if (unknown === undefined) return;
    throw new ApiError('invalid_parameter', { msg: `There is no role ${unknown}` });
  }

  /**
   * Returns the stored permissions of all roles. They stay the same until the transaction of `manager` ends,
   * so a decision based on them still holds when it takes effect.
   */
  async current(manager: EntityManager): Promise<RolePermissions> {
    return new RolePermissions(await manager.find(Role, rowLock(manager, 'share')));
  }

  /**
   * Returns now, or a time just after the newest change of a role, which another instance's clock may have
   * made.
   */
  private async afterNewest(manager: EntityManager): Promise<Date> {
    const { version } = new RolePermissions(await manager.find(Role));
    return new Date(Math.max(clock.now(), version + 1));
  }

  /**
   * Returns the permissions that stand for a role before the change. A name that is not stored yet stands for
   * none, unless a route asks for it or a user has it already: the command line and imports grant roles that
   * are not stored. The lock makes two creations of the same role follow each other.
   */
  private async effectivePermissionsBefore(
    manager: EntityManager,
    name: string,
  ): Promise<readonly string[]> {
    await lock(manager, 'roleChanges');
    const role = await manager.findOne(Role, { where: { name }, ...rowLock(manager, 'update') });
    if (role) return effectivePermissions(role.permissions);
    const isInUse = isGuardedRole(name) || (await manager.existsBy(UserRole, { role: name }));
    return isInUse ? [ALL] : [];
  }
}

const noSuchRole = () => new ApiError('not_found', { msg: 'There is no such role' });
