import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportWebhooks } from './webhook-export.js';
import { WebhookItem } from './webhook-item.entity.js';
import { WebhookOutbox } from './webhook-outbox.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { WebhookTransport } from './webhook-transport.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksService } from './webhooks.service.js';

/** Tells another service of changes of users. */
@Module({
  imports: [TypeOrmModule.forFeature([WebhookItem])],
  providers: [WebhookOutbox, WebhookReceiver, WebhookTransport, WebhookWorker, WebhooksService],
})
export class WebhooksModule {
  constructor(personalData: PersonalData) {
    personalData.add('webhooks', { export: exportWebhooks });
  }
}
