import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { UserData } from '../webhooks/events.js';
import { Webhooks } from '../webhooks/webhooks.service.js';
import { isDisabled, User } from './user.entity.js';

/**
 * Tells other services what happens to a user, if the transaction of `manager` is committed. Whoever
 * changes what {@link UserData} shows, calls this in the same transaction, after the change.
 */
@Injectable()
export class UserEvents {
  constructor(private readonly webhooks: Webhooks) {}

  async created(manager: EntityManager, user: User): Promise<void> {
    await this.webhooks.enqueue(manager, { type: 'user.created', data: { user: dataOf(user) } });
  }

  /** What the user is by now; nothing where there is none. */
  async updated(manager: EntityManager, id: string): Promise<void> {
    if (!this.webhooks.enabled) return;
    const user = await manager.findOneBy(User, { id });
    if (!user) return;
    await this.webhooks.enqueue(manager, { type: 'user.updated', data: { user: dataOf(user) } });
  }

  async passwordChanged(manager: EntityManager, id: string): Promise<void> {
    await this.webhooks.enqueue(manager, { type: 'password.changed', data: { user: { id } } });
  }

  async deleted(manager: EntityManager, id: string): Promise<void> {
    await this.webhooks.enqueue(manager, { type: 'user.deleted', data: { user: { id } } });
  }
}

function dataOf(user: User): UserData {
  const { id, username, email, displayName, roles, createdAt, updatedAt } = user;
  return {
    id,
    username,
    email,
    emailVerified: user.emailVerifiedAt !== null,
    displayName,
    roles,
    disabled: isDisabled(user),
    disabledUntil: (isDisabled(user) && user.disabledUntil?.toISOString()) || null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
