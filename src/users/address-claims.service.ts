import { Injectable } from '@nestjs/common';
import { type EntityManager, In, Like } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { activeHash, PENDING, unusableHash } from '../passwords/stored-hash.js';
import { lockHolder, lockUser, lockUsers } from './lock-user.js';
import { type Address, isNameless, withAddress, withoutAddress } from './nameless.js';
import type { AddressCause } from './user-events.js';
import { User } from './user.entity.js';

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
    const passwordHash = activeHash(user.passwordHash);
    await this.change(manager, user, {
      ...withAddress(user, address),
      ...(passwordHash !== user.passwordHash && { passwordHash }),
      emailVerifiedAt: clock.date(),
    });
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
  async handOver(
    manager: EntityManager,
    holder: User,
    user: Pick<User, 'id' | 'username' | 'usernameKey'>,
    address: Address,
  ): Promise<void> {
    await this.release(manager, holder);
    await this.give(manager, user, address);
  }

  /** Gives a user an address that no other account holds. @returns the changed columns */
  async give(
    manager: EntityManager,
    user: Pick<User, 'id' | 'username' | 'usernameKey'>,
    address: Address,
  ): Promise<Partial<User>> {
    const columns = withAddress(user, address);
    await this.change(manager, user, columns);
    return columns;
  }

  /**
   * Ends the password of a registration that has not verified its address, because somebody registers with the
   * address again. The mailbox cannot tell which of them its reader is, so neither password may count.
   */
  async contest(manager: EntityManager, emailKey: string): Promise<void> {
    await manager.update(
      User,
      { emailKey, passwordHash: Like(`${PENDING}%`) },
      { passwordHash: unusableHash(), displayName: null, locale: null, updatedAt: clock.date() },
    );
  }

  /** Takes the address from its unverified holder. The holder keeps the account. */
  private async release(manager: EntityManager, holder: User, newHolderId?: string): Promise<void> {
    await this.change(manager, holder, withoutAddress(holder));
    if (isNameless(holder)) {
      await this.events.publish(manager, { type: 'user.updated', userId: holder.id });
    }
    await this.events.publish(manager, { type: 'user.address_lost', user: holder, newHolderId });
  }

  /** Stores columns of a user. If they change the name, the access tokens are outdated, because they carry it. */
  private async change(
    manager: EntityManager,
    user: Pick<User, 'id' | 'username'>,
    columns: Partial<User>,
  ): Promise<void> {
    await manager.update(User, { id: user.id }, { ...columns, updatedAt: clock.date() });
    if ((columns.username ?? user.username) !== user.username) {
      await this.events.publish(manager, { type: 'user.renamed', userId: user.id });
    }
  }
}
