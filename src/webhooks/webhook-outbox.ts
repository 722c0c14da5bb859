import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import {
  type EntityManager,
  IsNull,
  MoreThan,
  Not,
  type Repository,
  type SelectQueryBuilder,
} from 'typeorm';
import { clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { rowLock } from '../database/row-lock.js';
import { OutboxRows } from '../outbox/outbox-rows.js';
import type { WebhookEvent } from './webhook-event.js';
import { WebhookItem } from './webhook-item.entity.js';
import { WebhookReceiver } from './webhook-receiver.js';

/** How long an event is tried, in milliseconds. */
const LIFETIME = 86_400_000;

/** Added to twice the time of a try, for the writes that follow it, in milliseconds. */
const SLACK = 30_000;

/** SQL: the user of `item` has an earlier event that is neither delivered nor given up. */
const WAITS_FOR_ANOTHER = `EXISTS (SELECT 1 FROM webhook_outbox earlier
  WHERE earlier.user_id = item.user_id AND earlier.position < item.position
    AND earlier.failed_at IS NULL)`;

/**
 * The stored events. Those of one user are delivered one after another, by position. A transaction that
 * stores an event holds the lock on the user's row until its commit, so positions are in the order of commits.
 */
@Injectable()
export class WebhookOutbox extends OutboxRows<WebhookItem> {
  constructor(
    @InjectRepository(WebhookItem) items: Repository<WebhookItem>,
    database: Database,
    receiver: WebhookReceiver,
  ) {
    const lease = 2_000 * receiver.timeout + SLACK;
    super(WebhookItem, items, database, { lease, whenGivenUp: { dueAt: null } });
  }

  /** Stores events of one user as the last ones, in a transaction that holds the lock on the user's row. */
  async append(manager: EntityManager, userId: string, events: WebhookEvent[]): Promise<void> {
    const last = await manager.findOne(WebhookItem, {
      select: { position: true },
      where: { userId },
      order: { position: 'DESC' },
    });
    const first = (last?.position ?? 0) + 1;
    const now = clock.date();
    const items = events.map(({ type, data }, index) => ({
      id: randomUUID(),
      userId,
      position: first + index,
      type,
      payload: JSON.stringify({ type, timestamp: now.toISOString(), data }),
      createdAt: now,
      expiresAt: new Date(now.getTime() + LIFETIME),
      dueAt: now,
      attempts: 0,
      failedAt: null,
      failure: null,
    }));
    await manager.insert(WebhookItem, items);
  }

  /** Removes the user's events that were given up, in a transaction that stores `user.deleted`. */
  async forgetFailed(manager: EntityManager, userId: string): Promise<void> {
    // A worker that is giving up an event comes before this, or else sees the deletion.
    await manager.find(WebhookItem, {
      select: { id: true },
      where: { userId },
      order: { position: 'ASC' },
      ...rowLock(manager, 'update'),
    });
    await manager.delete(WebhookItem, { userId, failedAt: Not(IsNull()) });
  }

  /** Removes all events of a user. */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(WebhookItem, { userId });
  }

  /** Puts the user's later events back as well, so that the search for due events does not pass over them. */
  override async putBack(item: WebhookItem, failure: string, dueAt: Date): Promise<void> {
    const { id, attempts, userId, position } = item;
    await this.database.transaction(async (manager) => {
      const { affected } = await manager.update(WebhookItem, { id, attempts }, { failure, dueAt });
      if (affected !== 1) return;
      await manager
        .createQueryBuilder()
        .update(WebhookItem)
        .set({ dueAt })
        .where('user_id = :userId AND position > :position', { userId, position })
        .andWhere('due_at < :dueAt', { dueAt: dueAt.getTime() })
        .execute();
    });
  }

  /** Removes the event instead, if its user is deleted by now. */
  override async giveUp(item: WebhookItem, failure: string): Promise<void> {
    const { id, attempts, userId, position } = item;
    await this.database.transaction(async (manager) => {
      // Waits for a running deletion; see `forgetFailed`.
      const present = { where: { id, attempts }, ...rowLock(manager, 'update') };
      if (!(await manager.findOne(WebhookItem, present))) return;
      const deletion = { userId, type: 'user.deleted', position: MoreThan(position) };
      if (await manager.existsBy(WebhookItem, deletion)) {
        await manager.delete(WebhookItem, { id });
      } else {
        const values = { dueAt: null, failure, failedAt: clock.date() };
        await manager.update(WebhookItem, { id }, values);
      }
    });
  }

  protected override due(rows: Repository<WebhookItem>): SelectQueryBuilder<WebhookItem> {
    return super.due(rows).andWhere(`NOT ${WAITS_FOR_ANOTHER}`);
  }
}
