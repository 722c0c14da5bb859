import type { Tables } from '../database/tables.js';
import { WebhookOutbox1764100000002 } from './1764100000002-webhook-outbox.js';
import { WebhookItem } from './webhook-item.entity.js';

/** The table of this room, and the migration that makes it. */
export const webhooksTables: Tables = {
  entities: [WebhookItem],
  migrations: [WebhookOutbox1764100000002],
};
