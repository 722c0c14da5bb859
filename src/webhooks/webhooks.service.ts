import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import type { WebhookEvent } from './events.js';
import { WebhookOutbox } from './webhook-outbox.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { WebhookWorker } from './webhook-worker.js';

/** Tells another service what happens to users. */
@Injectable()
export class Webhooks {
  /** Whether there is such a service; without one nothing is stored. */
  readonly enabled: boolean;

  constructor(
    receiver: WebhookReceiver,
    private readonly database: Database,
    private readonly outbox: WebhookOutbox,
    private readonly worker: WebhookWorker,
  ) {
    this.enabled = receiver.url !== undefined;
  }

  /**
   * Stores events of one user through `manager`, so that they are sent if, and only if, what else that
   * transaction writes is committed. Each is sent at least once, unless it is not taken within a day,
   * and after those of the user that were committed before. Where there is no such service any more, what
   * is still stored goes with the user.
   */
  async enqueue(manager: EntityManager, ...events: WebhookEvent[]): Promise<void> {
    const userId = events[0]?.data.user.id;
    if (userId === undefined) return;
    if (!this.enabled) {
      if (events.some(({ type }) => type === 'user.deleted')) {
        await this.database.beforeCommit(manager, userId, () =>
          this.outbox.forget(manager, userId),
        );
      }
      return;
    }
    await this.database.beforeCommit(manager, userId, () =>
      this.outbox.append(manager, userId, events),
    );
    this.database.afterCommit(manager, () => {
      this.worker.wake();
    });
  }
}
