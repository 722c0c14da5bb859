import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { PersonalData } from '../common/personal-data.js';
import { Config } from '../config/config.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { keepAnAdmin } from '../users/last-admin.js';
import { lockUser } from '../users/lock-user.js';
import { isDisabled, User } from '../users/user.entity.js';
import { UserEvents } from '../users/user-events.js';
import { UsernameClaims } from '../users/username-claims.js';
import { type Ban, changesOf, sameRoles, type UserPatch } from '../users/user-patch.js';
import { writeRoles } from '../users/user-role.entity.js';
import { RevocationsService } from './revocations.service.js';
import { type EndReason, SessionsService } from './sessions.service.js';

/** Looks at a user who is about to be changed, in that transaction; what it throws undoes it. */
export type PermitUser = (user: User, manager: EntityManager) => Promise<void> | void;

const FOR_EVER: Ban = { reason: null, until: null };

/** What else is written in the same transaction. */
export type Also = (manager: EntityManager) => Promise<void>;

/** Changes of a user that reach the tokens already handed out. */
@Injectable()
export class UserChanges {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly revocations: RevocationsService,
    private readonly audit: Audit,
    private readonly events: UserEvents,
    private readonly claims: UsernameClaims,
    private readonly config: Config,
    private readonly personalData: PersonalData,
  ) {}

  /**
   * Replaces the password `user` was seen with, and ends all sessions but `keptSession`; `also` is
   * written in the same transaction.
   *
   * @returns false, and nothing is changed, where the password was changed by another meanwhile
   */
  changePassword(
    user: User,
    passwordHash: string,
    { keptSession, also }: { keptSession?: string; also?: Also } = {},
  ): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const { affected } = await manager.update(
        User,
        { id: user.id, passwordHash: user.passwordHash },
        { passwordHash, updatedAt: clock.date() },
      );
      if (affected !== 1) return false;
      await this.events.passwordChanged(manager, user.id);
      // With no session left, tokens without a session end as well.
      if (keptSession === undefined) await this.revocations.revokeTokens(manager, user.id);
      const chosen = { userId: user.id, except: keptSession };
      const sessions = await this.sessions.endIn(manager, chosen, 'password_changed');
      await this.audit.record(manager, {
        action: 'password_changed',
        subjectId: user.id,
        details: { sessions },
      });
      await also?.(manager);
      return true;
    });
  }

  /**
   * Sets a password in the transaction of `manager`, in which the user is locked, and ends all sessions.
   */
  async resetPassword(manager: EntityManager, userId: string, passwordHash: string): Promise<void> {
    const values = { passwordHash, updatedAt: clock.date() };
    await manager.update(User, { id: userId }, values);
    await this.events.passwordChanged(manager, userId);
    await this.revocations.revokeTokens(manager, userId);
    const sessions = await this.sessions.endIn(manager, { userId }, 'password_changed');
    await this.audit.record(manager, {
      action: 'password_reset',
      subjectId: userId,
      details: { sessions },
    });
  }

  /**
   * Changes name and profile; a new username outdates the access tokens, which carry it, and the former
   * one stays reserved for the user.
   *
   * @returns false, and nothing is changed, if there is no such user, or with another password than
   *   `user` was seen with
   * @throws ApiError username_taken, too_many_requests (too many former names)
   */
  async updateProfile(
    { id: userId, passwordHash }: Pick<User, 'id'> & Partial<Pick<User, 'passwordHash'>>,
    profile: Partial<Pick<User, 'username' | 'usernameKey' | 'displayName' | 'locale'>>,
    also?: Also,
  ): Promise<boolean> {
    try {
      return await this.database.transaction(async (manager) => {
        const before = await lockUser(manager, userId);
        const isMeant = passwordHash === undefined || passwordHash === before?.passwordHash;
        if (!before || !isMeant) return false;
        const values = { ...profile, updatedAt: clock.date() };
        await manager.update(User, { id: userId }, values);
        if (profile.usernameKey !== undefined) {
          await this.claims.move(manager, before, profile.usernameKey);
        }
        await this.events.updated(manager, userId);
        if (profile.username !== undefined) await this.revocations.outdateTokens(manager, userId);
        const details = { changed: Object.keys(profile).join(' ') };
        await this.audit.record(manager, {
          action: 'user_updated',
          subjectId: userId,
          details,
        });
        await also?.(manager);
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
   * Changes what an administrator may, in one transaction. New roles make living access tokens stale;
   * a ban ends sessions and tokens at once, and ends by itself where it has an `until`.
   *
   * @returns the user as changed; undefined where there is none
   * @throws ApiError last_admin, and what `permit` throws
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
        await this.events.updated(manager, userId);
      }
      if (changes.roles) {
        await this.revocations.outdateTokens(manager, userId);
        const details = { roles: changed.roles.join(' ') };
        await this.audit.record(manager, { action: 'role_changed', subjectId: userId, details });
      }
      if (patch.ban) {
        const sessions = await this.sessions.endIn(manager, { userId }, 'user_disabled');
        await this.revocations.revokeTokens(manager, userId);
        if (changes.disabledAt) {
          const until = changed.disabledUntil?.toISOString();
          const details = { sessions, ...(until && { until }) };
          await this.audit.record(manager, { action: 'user_disabled', subjectId: userId, details });
        }
      } else if (patch.ban === null && isDisabled(user)) {
        await this.audit.record(manager, { action: 'user_enabled', subjectId: userId });
      }
      if (changes.emailVerifiedAt !== undefined) {
        const details = { verified: changes.emailVerifiedAt !== null };
        await this.audit.record(manager, { action: 'user_updated', subjectId: userId, details });
      }
      await keepAnAdmin(manager, this.config, user, changed);
      return changed;
    });
  }

  /**
   * Keeps a user from signing in, and ends sessions and tokens.
   *
   * @returns whether it was enabled
   * @throws ApiError last_admin
   */
  async disable(userId: string, ban: Ban = FOR_EVER): Promise<boolean> {
    let enabled = false;
    await this.update(userId, { ban }, (user) => {
      enabled = !isDisabled(user);
    });
    return enabled;
  }

  /** Lets a disabled user sign in again. @returns whether the user was disabled */
  async enable(userId: string): Promise<boolean> {
    let disabled = false;
    await this.update(userId, { ban: null }, (user) => {
      disabled = isDisabled(user);
    });
    return disabled;
  }

  /**
   * Replaces a user's roles; living access tokens become stale.
   *
   * @returns whether there is such a user
   * @throws ApiError last_admin
   */
  async setRoles(userId: string, roles: string[]): Promise<boolean> {
    return (await this.update(userId, { roles })) !== undefined;
  }

  /** Ends all of a user's sessions and tokens. @returns how many sessions; undefined without a user */
  endSessions(userId: string, reason: EndReason, permit?: PermitUser): Promise<number | undefined> {
    return this.database.transaction(async (manager) => {
      const user = await lockUser(manager, userId);
      if (!user) return undefined;
      await permit?.(user, manager);
      const ended = await this.sessions.endIn(manager, { userId }, reason);
      await this.revocations.revokeTokens(manager, userId);
      await this.audit.record(manager, {
        action: 'sessions_revoked',
        subjectId: userId,
        details: { sessions: ended },
      });
      return ended;
    });
  }

  /**
   * Changes a user's roles from what they are to what `edit` makes of them; living access tokens become
   * stale.
   *
   * @returns whether they are others now
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
   * Removes every row about a user, and ends the user's tokens. `permit` judges the user first, and `also`
   * writes last. Both run in the same transaction, and an error of theirs undoes it.
   *
   * @returns false, and nothing is changed, where there is no such user, or with another password than
   *   `user` was seen with
   * @throws ApiError last_admin
   */
  delete(
    user: Pick<User, 'id'> & Partial<Pick<User, 'passwordHash'>>,
    { permit, also }: { permit?: PermitUser; also?: Also } = {},
  ): Promise<boolean> {
    const { id, passwordHash } = user;
    return this.database.transaction(async (manager) => {
      const found = await lockUser(manager, id);
      const isMeant = passwordHash === undefined || passwordHash === found?.passwordHash;
      if (!found || !isMeant) return false;
      await permit?.(found, manager);
      await manager.delete(User, { id });
      await this.events.deleted(manager, id);
      await this.revocations.forgetUser(manager, id);
      await also?.(manager);
      await keepAnAdmin(manager, this.config, found, null);
      await this.audit.record(manager, { action: 'user_deleted', subjectId: id });
      await this.personalData.erase(manager, id);
      return true;
    });
  }
}
