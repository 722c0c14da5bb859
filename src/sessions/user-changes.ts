import { Injectable } from '@nestjs/common';
import { IsNull, Not } from 'typeorm';
import { Audit } from '../audit/audit.service.js';
import { User } from '../users/user.entity.js';
import { SessionChanges } from './session-changes.js';

/** Changes of a user that reach the tokens already handed out. */
@Injectable()
export class UserChanges {
  constructor(
    private readonly changes: SessionChanges,
    private readonly audit: Audit,
  ) {}

  /**
   * Replaces the password `user` was seen with, and ends all sessions but `keptSession`.
   *
   * @returns false, and nothing is changed, where the password was changed by another meanwhile
   */
  changePassword(user: User, passwordHash: string, keptSession?: string): Promise<boolean> {
    const { id: userId } = user;
    return this.changes.transaction(async (change) => {
      const { affected } = await change.manager.update(
        User,
        { id: userId, passwordHash: user.passwordHash },
        { passwordHash, updatedAt: new Date() },
      );
      if (affected !== 1) return false;
      const chosen = { userId, except: keptSession };
      const sessions = await change.endSessions(chosen, 'password_changed');
      await this.audit.record(change.manager, {
        action: 'password_changed',
        subjectId: userId,
        details: { sessions },
      });
      return true;
    });
  }

  /** Keeps a user from signing in, and ends sessions and tokens. @returns whether it was enabled */
  disable(userId: string): Promise<boolean> {
    return this.changes.transaction(async (change) => {
      const now = new Date();
      const { affected } = await change.manager.update(
        User,
        { id: userId, disabledAt: IsNull() },
        { disabledAt: now, updatedAt: now },
      );
      if (affected !== 1) return false;
      const sessions = await change.endSessions({ userId }, 'user_disabled');
      await change.revokeTokens(userId);
      await this.audit.record(change.manager, {
        action: 'user_disabled',
        subjectId: userId,
        details: { sessions },
      });
      return true;
    });
  }

  /** Lets a disabled user sign in again. @returns whether the user was disabled */
  enable(userId: string): Promise<boolean> {
    return this.changes.transaction(async ({ manager }) => {
      const disabled = { id: userId, disabledAt: Not(IsNull()) };
      const { affected } = await manager.update(User, disabled, {
        disabledAt: null,
        updatedAt: new Date(),
      });
      if (affected !== 1) return false;
      await this.audit.record(manager, { action: 'user_enabled', subjectId: userId });
      return true;
    });
  }

  /** Replaces a user's roles; living access tokens become stale. @returns whether there is such a user */
  setRoles(userId: string, roles: string[]): Promise<boolean> {
    return this.changes.transaction(async (change) => {
      const { affected } = await change.manager.update(
        User,
        { id: userId },
        { roles, updatedAt: new Date() },
      );
      if (affected !== 1) return false;
      await change.outdateTokens(userId);
      await this.audit.record(change.manager, {
        action: 'role_changed',
        subjectId: userId,
        details: { roles: roles.join(' ') },
      });
      return true;
    });
  }
}
