import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { PersonalData } from '../common/personal-data.js';
import { Config } from '../config/config.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { keepAnAdmin } from './last-admin.js';
import { lockUser } from './lock-user.js';
import type { ByUser } from './user-events.js';
import { isDisabled, User } from './user.entity.js';
import { type Ban, changesOf, sameRoles, type UserPatch } from './user-patch.js';
import { writeRoles } from './user-role.entity.js';
import { UsernameClaims } from './username-claims.js';

/** Judges the user to be changed, in the transaction of the change. An error undoes the change. */
export type PermitUser = (user: User, manager: EntityManager) => Promise<void> | void;

/** A user, and if given the password hash that the user still has to have. */
export type ExpectedUser = Pick<User, 'id'> & Partial<Pick<User, 'passwordHash'>>;

/** Fields of the profile. */
type Profile = Partial<Pick<User, 'username' | 'usernameKey' | 'displayName' | 'locale'>>;

const PERMANENT: Ban = { reason: null, until: null };

/**
 * Changes users: passwords, profiles, roles, bans and deletions. Each change locks the user's row and
 * publishes its events. Other rooms subscribe to end sessions, record the change and notify.
 */
@Injectable()
export class UserChangesService {
  constructor(
    private readonly database: Database,
    private readonly events: EventsService,
    private readonly claims: UsernameClaims,
    private readonly config: Config,
    private readonly personalData: PersonalData,
  ) {}

  /**
   * Replaces the password, and ends all sessions except `keptSession`.
   *
   * @param user the user that the caller has checked
   * @returns false, without a change, if the user has another password by now
   */
  changePassword(
    user: User,
    passwordHash: string,
    { keptSession, byUser }: { keptSession?: string; byUser?: ByUser } = {},
  ): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const { affected } = await manager.update(
        User,
        { id: user.id, passwordHash: user.passwordHash },
        { passwordHash, updatedAt: clock.date() },
      );
      if (affected !== 1) return false;
      await this.events.publish(manager, {
        type: 'password.changed',
        user,
        cause: 'changed',
        keptSession,
        byUser,
        endedSessions: 0,
      });
      return true;
    });
  }

  /** Sets the password of a user whom the transaction of `manager` has locked, and ends all sessions. */
  async setPassword(
    manager: EntityManager,
    user: User,
    passwordHash: string,
    { cause, byUser }: { cause: 'reset' | 'email_change_undone'; byUser?: ByUser },
  ): Promise<void> {
    const values = { passwordHash, updatedAt: clock.date() };
    await manager.update(User, { id: user.id }, values);
    const event = { type: 'password.changed', user, cause, byUser, endedSessions: 0 } as const;
    await this.events.publish(manager, { ...event });
  }

  /**
   * Changes name and profile. A new username outdates the access tokens, which carry it. The former one stays
   * reserved for the user.
   *
   * @returns false, without a change, if there is no such user, or the password hash is another one
   * @throws ApiError username_taken, too_many_requests (too many former names)
   */
  async updateProfile(
    { id, passwordHash }: ExpectedUser,
    profile: Profile,
    byUser?: ByUser,
  ): Promise<boolean> {
    try {
      return await this.database.transaction(async (manager) => {
        const before = await lockUser(manager, id);
        if (!before || (passwordHash ?? before.passwordHash) !== before.passwordHash) return false;
        await manager.update(User, { id }, { ...profile, updatedAt: clock.date() });
        if (profile.usernameKey !== undefined) {
          await this.claims.move(manager, before, profile.usernameKey);
        }
        await this.events.publish(manager, { type: 'user.updated', userId: id });
        const fields = Object.keys(profile);
        const event = { type: 'user.profile_changed', user: before, fields, byUser } as const;
        await this.events.publish(manager, event);
        return true;
      });
    } catch (error) {
      if (violatedUniqueIndex(error)?.includes('username_key')) {
        throw new ApiError('username_taken');
      }
      throw error;
    }
  }

  /**
   * Makes an administrator's changes in one transaction. New roles make living access tokens stale. A ban
   * ends sessions and tokens at once, and ends by itself if it has an `until`.
   *
   * @returns the changed user; undefined if there is none
   * @throws ApiError last_admin, and the errors of `permit`
   */
  update(
    userId: string,
    wanted: UserPatch | ((user: User) => UserPatch),
    permit?: PermitUser,
  ): Promise<User | undefined> {
    return this.database.transaction(async (manager) => {
      const user = await lockUser(manager, userId);
      if (!user) return undefined;
      await permit?.(user, manager);
      const patch = typeof wanted === 'function' ? wanted(user) : wanted;
      const changes = changesOf(patch, user);
      const changed = { ...user, ...changes };
      if (changes.updatedAt) {
        const { roles, ...columns } = changes;
        await manager.update(User, { id: userId }, columns);
        if (roles) await writeRoles(manager, changed);
      }
      await this.publishUpdate(manager, patch, { before: user, changes });
      await keepAnAdmin(manager, this.config, user, changed);
      return changed;
    });
  }

  /**
   * Disables a user, and ends sessions and tokens.
   *
   * @returns whether the user was enabled
   * @throws ApiError last_admin
   */
  async disable(userId: string, ban: Ban = PERMANENT): Promise<boolean> {
    let enabled = false;
    await this.update(userId, { ban }, (user) => {
      enabled = !isDisabled(user);
    });
    return enabled;
  }

  /**
   * Lets a disabled user sign in again.
   *
   * @returns whether the user was disabled
   */
  async enable(userId: string): Promise<boolean> {
    let disabled = false;
    await this.update(userId, { ban: null }, (user) => {
      disabled = isDisabled(user);
    });
    return disabled;
  }

  /**
   * Replaces a user's roles. Living access tokens become stale.
   *
   * @returns whether there is such a user
   * @throws ApiError last_admin
   */
  async setRoles(userId: string, roles: string[]): Promise<boolean> {
    return (await this.update(userId, { roles })) !== undefined;
  }

  /**
   * Changes a user's roles to those that `edit` makes of the present ones. Living access tokens become stale.
   *
   * @returns whether the user has other roles now
   * @throws ApiError last_admin
   */
  async editRoles(userId: string, edit: (roles: string[]) => string[]): Promise<boolean> {
    let changed = false;
    await this.update(userId, (user) => {
      const roles = edit(user.roles);
      changed = !sameRoles(user.roles, roles);
      return { roles };
    });
    return changed;
  }

  /**
   * Removes every row about a user, and ends the user's tokens. `permit` judges the user first.
   *
   * @returns false, without a change, if there is no such user, or the password hash is another one
   * @throws ApiError last_admin, and the errors of `permit`
   */
  delete(
    { id, passwordHash }: ExpectedUser,
    { permit, byUser }: { permit?: PermitUser; byUser?: ByUser } = {},
  ): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const user = await lockUser(manager, id);
      if (!user || (passwordHash ?? user.passwordHash) !== user.passwordHash) return false;
      await permit?.(user, manager);
      await manager.delete(User, { id });
      await keepAnAdmin(manager, this.config, user, null);
      await this.events.publish(manager, { type: 'user.deleted', user, byUser });
      await this.personalData.erase(manager, id);
      return true;
    });
  }

  /** Publishes the events of a stored update. */
  private async publishUpdate(
    manager: EntityManager,
    { ban }: UserPatch,
    { before, changes }: { before: User; changes: Partial<User> },
  ): Promise<void> {
    const userId = before.id;
    if (changes.updatedAt) await this.events.publish(manager, { type: 'user.updated', userId });
    const { roles, emailVerifiedAt } = changes;
    if (roles) await this.events.publish(manager, { type: 'user.roles_changed', userId, roles });
    if (ban) {
      const isNew = changes.disabledAt !== undefined;
      const event = { userId, until: ban.until, isNew, endedSessions: 0 };
      await this.events.publish(manager, { type: 'user.disabled', ...event });
    } else if (ban === null && isDisabled(before)) {
      await this.events.publish(manager, { type: 'user.enabled', userId });
    }
    if (emailVerifiedAt !== undefined) {
      const verified = emailVerifiedAt !== null;
      await this.events.publish(manager, { type: 'user.verification_changed', userId, verified });
    }
  }
}
