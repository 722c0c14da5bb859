import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventsService } from '../common/events.service.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import { isDisabled, type User } from '../users/user.entity.js';
import type { UserData, WebhookEvent } from './webhook-event.js';
import { WebhookOutbox } from './webhook-outbox.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { WebhookWorker } from './webhook-worker.js';

/** The number of sessions with an event of their own if many end at once. */
const NAMED_SESSIONS = 100;

/** Tells another service of changes of users, if the settings name one. */
@Injectable()
export class WebhooksService {
  private readonly enabled: boolean;

  constructor(
    receiver: WebhookReceiver,
    events: EventsService,
    private readonly database: Database,
    private readonly outbox: WebhookOutbox,
    private readonly worker: WebhookWorker,
  ) {
    this.enabled = receiver.url !== undefined;
    if (!this.enabled) {
      // Events that an earlier setting left behind are deleted with their user.
      events.on('user.deleted', (manager, { user }) => this.outbox.forget(manager, user.id));
      return;
    }
    const tellOfUser =
      (type: 'user.created' | 'user.updated') =>
      async (manager: EntityManager, { userId }: { userId: string }): Promise<void> => {
        // The change has locked the user already, but a project's own change may have forgotten to.
        const user = await lockUser(manager, userId);
        if (user) await this.enqueue(manager, { type, data: { user: dataOf(user) } });
      };
    events.on('user.created', tellOfUser('user.created'));
    events.on('user.updated', tellOfUser('user.updated'));
    events.on('password.changed', (manager, { user: { id } }) =>
      this.enqueue(manager, { type: 'password.changed', data: { user: { id } } }),
    );
    events.on('factor.changed', (manager, { user: { id }, change, kind }) =>
      this.enqueue(manager, { type: `factor.${change}`, data: { user: { id }, factor: { kind } } }),
    );
    events.on('factors.reset', (manager, { user: { id }, kinds }) =>
      this.enqueue(manager, { type: 'factors.reset', data: { user: { id }, kinds } }),
    );
    events.on('recovery_codes.changed', (manager, { user: { id }, change, left }) => {
      const type = change === 'made' ? 'recovery_codes.made' : 'recovery_code.used';
      return this.enqueue(manager, { type, data: { user: { id }, left } });
    });
    events.on('user.deleted', async (manager, { user: { id } }) => {
      await this.outbox.forgetFailed(manager, id);
      await this.enqueue(manager, { type: 'user.deleted', data: { user: { id } } });
    });
    events.on('sessions.ended', (manager, { userId: id, ids, reason }) => {
      const about = (session: { id: string } | null, count: number): WebhookEvent => ({
        type: 'session.ended',
        data: { user: { id }, session, count, reason },
      });
      const named = ids.slice(0, NAMED_SESSIONS).map((session) => about({ id: session }, 1));
      const others = ids.length - named.length;
      return this.enqueue(manager, ...named, ...(others > 0 ? [about(null, others)] : []));
    });
  }

  /**
   * Stores events of one user through `manager`. They are sent if, and only if, its transaction is committed.
   * Each is sent at least once, unless the receiver does not accept it within a day. It is sent after the
   * user's events that were committed before.
   */
  private async enqueue(manager: EntityManager, ...events: WebhookEvent[]): Promise<void> {
    const userId = events[0]?.data.user.id;
    if (userId === undefined) return;
    await this.outbox.append(manager, userId, events);
    this.database.afterCommit(manager, () => {
      this.worker.wake();
    });
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
