import type { EntityManager } from 'typeorm';
import { WebhookItem } from './webhook-item.entity.js';

/** Returns the stored events about a user, for the user's export. */
export async function exportWebhooks(manager: EntityManager, userId: string): Promise<object[]> {
  const webhooks = await manager.find(WebhookItem, {
    where: { userId },
    order: { position: 'ASC' },
  });
  return webhooks.map(({ payload, attempts, failedAt }) => ({
    event: JSON.parse(payload) as unknown,
    attempts,
    failedAt,
  }));
}
