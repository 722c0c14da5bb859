import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { violatedUniqueIndex } from '../database/database.js';
import { OneTimeToken } from '../one-time-tokens/one-time-token.entity.js';
import { User } from '../users/user.entity.js';
import { type SessionChange, SessionChanges } from './session-changes.js';

/** Rolls a transaction back that found nothing to change. */
class NothingChanged extends Error {}

function nothingChanged(error: unknown): false {
  if (error instanceof NothingChanged) return false;
  throw error;
}

/** What else is written in the same transaction. */
export type Also = (manager: EntityManager) => Promise<void>;

/** Changes of a user that reach the tokens already handed out. */
@Injectable()
export class UserChanges {
  constructor(private readonly changes: SessionChanges) {}

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
    return this.changes.transaction(async (change) => {
      const { affected } = await change.manager.update(
        User,
        { id: user.id, passwordHash: user.passwordHash },
        { passwordHash, updatedAt: new Date() },
      );
      if (affected !== 1) return false;
      await change.endSessions({ userId: user.id, except: keptSession }, 'password_changed');
      await also?.(change.manager);
      return true;
    });
  }

  /**
   * Sets a password in the transaction of `change`, in which the user is locked, and ends all sessions.
   */
  async resetPassword(change: SessionChange, userId: string, passwordHash: string): Promise<void> {
    const values = { passwordHash, updatedAt: new Date() };
    await change.manager.update(User, { id: userId }, values);
    await change.endSessions({ userId }, 'password_changed');
  }

  /**
   * Changes name and profile; a new username outdates the access tokens, which carry it.
   *
   * @throws ApiError username_taken
   * @returns whether there is such a user
   */
  async updateProfile(
    userId: string,
    profile: Partial<Pick<User, 'username' | 'usernameKey' | 'displayName' | 'locale'>>,
    also?: Also,
  ): Promise<boolean> {
    try {
      return await this.changes.transaction(async (change) => {
        const values = { ...profile, updatedAt: new Date() };
        const { affected } = await change.manager.update(User, { id: userId }, values);
        if (affected !== 1) return false;
        if (profile.username !== undefined) await change.outdateTokens(userId);
        await also?.(change.manager);
        return true;
      });
    } catch (error) {
      if (violatedUniqueIndex(error)?.includes('username_key')) {
        throw new ApiError('username_taken');
      }
      throw error;
    }
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
      await change.endSessions({ userId }, 'user_disabled');
      await change.revokeTokens(userId);
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
      return affected === 1;
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
      return true;
    });
  }

  /**
   * Removes every row about a user, and ends the tokens already handed out; `also` is written in the
   * same transaction.
   *
   * @returns false, and nothing is changed, where there is no such user, or with another password than
   *   `user` was seen with
   */
  delete(
    user: Pick<User, 'id'> & Partial<Pick<User, 'passwordHash'>>,
    also?: Also,
  ): Promise<boolean> {
    const { id, passwordHash } = user;
    return this.changes
      .transaction(async (change) => {
        const { manager } = change;
        // Who redeems a one-time token locks first it and then its user.
        await manager.delete(OneTimeToken, { userId: id });
        const { affected } = await manager.delete(User, {
          id,
          ...(passwordHash && { passwordHash }),
        });
        if (affected !== 1) throw new NothingChanged();
        await change.forgetUser(id);
        await also?.(manager);
        return true;
      })
      .catch(nothingChanged);
  }
}
