import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';
import { OneTimeToken } from '../one-time-tokens/one-time-token.entity.js';
import { User } from '../users/user.entity.js';
import { UserEvents } from '../users/user-events.js';
import { SessionChanges } from './session-changes.js';

/** Rolls a transaction back that found nothing to change. */
class NothingChanged extends Error {}

function nothingChanged(error: unknown): false {
  if (error instanceof NothingChanged) return false;
  throw error;
}

/** Changes of a user that reach the tokens already handed out. */
@Injectable()
export class UserChanges {
  constructor(
    private readonly changes: SessionChanges,
    private readonly events: UserEvents,
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
      await this.events.passwordChanged(change.manager, userId);
      await change.endSessions({ userId, except: keptSession }, 'password_changed');
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
      await this.events.updated(change.manager, userId);
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
      if (affected !== 1) return false;
      await this.events.updated(manager, userId);
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
      await this.events.updated(change.manager, userId);
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
    also?: (manager: EntityManager) => Promise<void>,
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
        await this.events.deleted(manager, id);
        await change.forgetUser(id);
        await also?.(manager);
        return true;
      })
      .catch(nothingChanged);
  }
}
