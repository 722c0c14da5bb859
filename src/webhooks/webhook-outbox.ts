import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import {
  type DeleteResult,
  type EntityManager,
  IsNull,
  MoreThan,
  Not,
  type Repository,
  type UpdateResult,
} from 'typeorm';
import { clock } from '../common/clock.js';
import { lockForUser } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import { OutboxRows } from '../outbox/outbox-rows.js';
import type { WebhookEvent } from './webhook-event.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { WebhookItem } from './webhook-item.entity.js';

/** For how long an event is tried, in milliseconds. */
const LONGEST = 86_400_000;

/** Beside twice the time of a try, for what is written after it. */
const SLACK = 30_000;

/**
 * The stored events. Of each user only the first is due; when it was delivered or given up, the next
 * one is. Both that and storing are done under a lock of the user's events, which is let go with the
 * commit: so positions are in the order of commits, and none is stored behind one that is just leaving.
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

  /** Stores events of one user as the last ones; within the transaction of `manager`, at its end. */
  async append(manager: EntityManager, userId: string, events: WebhookEvent[]): Promise<void> {
    await lockForUser(manager, 'webhooksOfUser', userId);
    const last = await manager.findOne(WebhookItem, {
      select: { position: true },
      where: { userId },
      order: { position: 'DESC' },
    });
    const waiting = await manager.existsBy(WebhookItem, { userId, failedAt: IsNull() });
    const now = clock.now();
    const first = (last?.position ?? 0) + 1;
    const items = events.map(({ type, data }, index) => ({
      id: randomUUID(),
      userId,
      position: first + index,
      type,
      payload: JSON.stringify({ type, timestamp: new Date(now).toISOString(), data }),
      createdAt: new Date(now),
      expiresAt: new Date(now + LONGEST),
      dueAt: waiting || index > 0 ? null : new Date(now),
      attempts: 0,
      failedAt: null,
      failure: null,
    }));
    await manager.insert(WebhookItem, items);
    // Nobody needs what the other service was not told of a user who is gone.
    if (events.some(({ type }) => type === 'user.deleted')) {
      await manager.delete(WebhookItem, { userId, failedAt: Not(IsNull()) });
    }
  }

  /** Removes what is stored of a user who is deleted in `manager`'s transaction, at its end. */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    await lockForUser(manager, 'webhooksOfUser', userId);
    await manager.delete(WebhookItem, { userId });
  }

  /** Also lets those go on whose earlier event was removed by hand. */
  override async clean(): Promise<void> {
    await super.clean();
    const earlier =
      'SELECT 1 FROM webhook_outbox earlier WHERE earlier.user_id = webhook_outbox.user_id ' +
      'AND earlier.position < webhook_outbox.position AND earlier.failed_at IS NULL';
    await this.database.write((manager) =>
      manager
        .createQueryBuilder()
        .update(WebhookItem)
        .set({ dueAt: clock.date() })
        .where(`due_at IS NULL AND failed_at IS NULL AND NOT EXISTS (${earlier})`)
        .execute(),
    );
  }

  /** Keeps nothing that is given up after its user was deleted: {@link append} removed the rest then. */
  protected override async keep(
    manager: EntityManager,
    item: WebhookItem,
    values: object,
  ): Promise<DeleteResult | UpdateResult> {
    const { id, attempts, userId, position } = item;
    const deletion = { userId, type: 'user.deleted', position: MoreThan(position) };
    if (!(await manager.existsBy(WebhookItem, deletion))) return super.keep(manager, item, values);
    return manager.delete(WebhookItem, { id, attempts });
  }

  protected override async finish(
    { userId, position }: WebhookItem,
    change: (manager: EntityManager) => Promise<DeleteResult | UpdateResult>,
  ): Promise<void> {
    await this.database.transaction(async (manager) => {
      await lockForUser(manager, 'webhooksOfUser', userId);
      const { affected } = await change(manager);
      if (affected !== 1) return;
      const next = await manager.findOne(WebhookItem, {
        select: { id: true },
        where: { userId, failedAt: IsNull(), position: MoreThan(position) },
        order: { position: 'ASC' },
      });
      if (next) await manager.update(WebhookItem, { id: next.id }, { dueAt: clock.date() });
    });
  }
}
