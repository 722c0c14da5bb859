import { Injectable, Logger } from '@nestjs/common';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Metrics } from '../common/metrics.js';
import { type DeliveryFailure, OutboxWorker } from '../outbox/outbox-worker.js';
import { webhookFailure } from './webhook-failure.js';
import type { WebhookItem } from './webhook-item.entity.js';
import { WebhookOutbox } from './webhook-outbox.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { WebhookTransport } from './webhook-transport.js';

/** Sends the events of the outbox, if a receiver is set. */
@Injectable()
export class WebhookWorker extends OutboxWorker<WebhookItem> {
  constructor(
    outbox: WebhookOutbox,
    private readonly transport: WebhookTransport,
    receiver: WebhookReceiver,
    metrics: Metrics,
    cleanup: DailyCleanup,
  ) {
    const work = {
      sends: receiver.url !== undefined,
      noun: 'Webhook',
      metric: 'latchkey_webhook',
      concurrency: 16,
      longestTry: receiver.timeout * 1000,
      grace: 3_000,
      waits: { first: 5_000, last: 3_600_000 },
      // An event that waited for an earlier one of its user has not been tried yet.
      triesLate: true,
    };
    super(outbox, work, new Logger(WebhookWorker.name), { metrics, cleanup });
  }

  protected async deliver(item: WebhookItem, signal: AbortSignal): Promise<boolean> {
    await this.transport.send(item, signal);
    return true;
  }

  protected failureOf(error: unknown): DeliveryFailure {
    return webhookFailure(error);
  }

  protected kindOf({ type }: WebhookItem): string {
    return type;
  }
}
