import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { unusableHash } from '../passwords/stored-hash.js';
import { lockHolder, lockUser, lockUsers } from './lock-user.js';
import type { AddressCause } from './user-events.js';
import { User } from './user.entity.js';

/** An address as the user typed it, and its unique form. */
export interface Address {
  email: string;
  emailKey: string;
}

/**
 * Decides which account holds an e-mail address. A verified holder keeps it. An unverified holder loses it to a
 * user who confirms a mailed link, or if an operator marks the address of another user as verified.
 */
@Injectable()
export class AddressClaimsService {
  constructor(private readonly events: EventsService) {}

  /**
   * Gives `user` an address that the user has just confirmed by a mailed link.
   *
   * @throws ApiError link_invalid if another account has verified the address
   */
  async claim(
    manager: EntityManager,
    user: User,
    address: Address,
    cause: AddressCause,
  ): Promise<void> {
    const holder = await lockHolder(manager, address.emailKey);
    if (holder && holder.id !== user.id) {
      if (holder.emailVerifiedAt) throw new ApiError('link_invalid');
      await this.release(manager, holder, user.id);
    }
    const { email, emailKey } = address;
    const now = clock.date();
    await manager.update(
      User,
      { id: user.id },
      { email, emailKey, emailVerifiedAt: now, updatedAt: now },
    );
    await this.events.publish(manager, { type: 'user.updated', userId: user.id });
    await this.events.publish(manager, { type: 'user.address_confirmed', user, cause });
  }

  /**
   * Gives an account that never verified its address to the reader of the mailbox, and verifies the address. A
   * stranger may have made the account, so its password and sessions end. Other rooms end their credentials by
   * the event `user.claimed`.
   *
   * @param user the account, locked by the transaction of `manager`
   * @returns the account as it is now
   */
  async takeOver(manager: EntityManager, user: User): Promise<User> {
    const now = clock.date();
    const changes = { passwordHash: unusableHash(), emailVerifiedAt: now, updatedAt: now };
    await manager.update(User, { id: user.id }, changes);
    await this.events.publish(manager, { type: 'user.claimed', user, endedSessions: 0 });
    await this.events.publish(manager, { type: 'user.updated', userId: user.id });
    const confirmed = { type: 'user.address_confirmed', user, cause: 'verified' } as const;
    await this.events.publish(manager, confirmed);
    // The end of all tokens has raised their version.
    return (await lockUser(manager, user.id)) ?? { ...user, ...changes };
  }

  /**
   * Frees an address for another user, whose address an administrator or the command line marks as verified.
   *
   * @param mayTake whether the address may be taken from this unverified holder
   * @throws ApiError email_taken if the holder is verified, or keeps the address by `mayTake`
   */
  async vacate(
    manager: EntityManager,
    emailKey: string,
    mayTake: (holder: User) => boolean = () => true,
  ): Promise<void> {
    const holder = await lockHolder(manager, emailKey);
    if (!holder) return;
    if (holder.emailVerifiedAt || !mayTake(holder)) throw new ApiError('email_taken');
    await this.release(manager, holder);
  }

  /** Returns the unverified accounts that hold one of these addresses, locked, by address. */
  async unverifiedHolders(manager: EntityManager, emailKeys: string[]): Promise<Map<string, User>> {
    if (emailKeys.length === 0) return new Map();
    const holders = await lockUsers(manager, { emailKey: In(emailKeys) });
    return new Map(
      holders.flatMap((holder) =>
        holder.emailKey !== null && !holder.emailVerifiedAt ? [[holder.emailKey, holder]] : [],
      ),
    );
  }

  /** Gives a stored user the address of an unverified holder; the transaction has locked the holder. */
  async handOver(manager: EntityManager, holder: User, userId: string): Promise<void> {
    const { emailKey } = holder;
    await this.release(manager, holder);
    await manager.update(User, { id: userId }, { emailKey });
  }

  /** Takes the address from its unverified holder. The holder keeps the account. */
  private async release(manager: EntityManager, holder: User, newHolderId?: string): Promise<void> {
    await manager.update(User, { id: holder.id }, { emailKey: null, updatedAt: clock.date() });
    await this.events.publish(manager, { type: 'user.address_lost', user: holder, newHolderId });
  }
}
