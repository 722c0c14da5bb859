import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { rowLock } from '../database/row-lock.js';
import { User } from '../users/user.entity.js';
import { UserEvents } from '../users/user-events.js';

/** An address as typed, and its unique form. */
export interface Address {
  email: string;
  emailKey: string;
}

/** Decides which account holds an e-mail address. */
@Injectable()
export class AddressClaims {
  constructor(
    private readonly audit: Audit,
    private readonly events: UserEvents,
  ) {}

  /** The account that holds an address; locked on PostgreSQL until the transaction of `manager` ends. */
  holder(manager: EntityManager, emailKey: string): Promise<User | null> {
    return manager.findOne(User, { where: { emailKey }, ...rowLock(manager, 'update') });
  }

  /**
   * Gives `user` an address that the user has just proven to read. An account that holds it without
   * proof loses it.
   *
   * @throws ApiError link_invalid if another account has proven the address to be its own
   */
  async claim(manager: EntityManager, user: User, address: Address): Promise<void> {
    const holder = await this.holder(manager, address.emailKey);
    const now = clock.date();
    if (holder && holder.id !== user.id) {
      if (holder.emailVerifiedAt) throw new ApiError('link_invalid');
      await manager.update(User, { id: holder.id }, { emailKey: null, updatedAt: now });
      // The actor is the new holder, whose network the loser must not see.
      await this.audit.record(manager, {
        action: 'email_lost',
        subjectId: holder.id,
        actorId: user.id,
      });
    }
    const { email, emailKey } = address;
    await manager.update(
      User,
      { id: user.id },
      { email, emailKey, emailVerifiedAt: now, updatedAt: now },
    );
    await this.events.updated(manager, user.id);
  }
}
