import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { DataSource } from 'typeorm';
import type { WebhookEvent } from '../../src/webhooks/webhook-event.js';
import { WebhookItem } from '../../src/webhooks/webhook-item.entity.js';
import { WebhookWorker } from '../../src/webhooks/webhook-worker.js';
import { until } from './wait.js';
import type { Server } from './server.js';

/** The secret that test servers sign webhooks with. */
export const WEBHOOK_SECRET = `whsec_${Buffer.from('a webhook canary of 32 bytes 012').toString('base64')}`;

/** What came in one request. */
export interface Delivery {
  id: string;
  headers: IncomingHttpHeaders;
  body: string;
  event: WebhookEvent & { timestamp: string };
  userId: string;
}

/** Gives the status to answer with; undefined where it answers by itself, or not at all. */
export type Answer = (
  delivery: Delivery,
  response: ServerResponse,
) => number | undefined | Promise<number | undefined>;

/** A receiver of webhooks on a free port of this machine, which checks every signature. */
export async function startReceiver(answer: Answer = () => 204) {
  /** All that came, and of it what was answered 2xx. */
  const tried: Delivery[] = [];
  const received: Delivery[] = [];
  const forged: string[] = [];
  const server = createServer((request, response) => {
    const take = async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString('utf8');
      try {
        new Webhook(WEBHOOK_SECRET).verify(body, request.headers as Record<string, string>);
      } catch (error) {
        forged.push(String(error));
      }
      const event = JSON.parse(body) as Delivery['event'];
      const id = String(request.headers['webhook-id']);
      const delivery = { id, headers: request.headers, body, event, userId: event.data.user.id };
      tried.push(delivery);
      const status = await answer(delivery, response);
      if (status === undefined) return;
      if (status < 300) received.push(delivery);
      response.writeHead(status).end();
    };
    take().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    tried,
    received,
    forged,
    /** Its path stands for a token that a receiver may ask for. */
    url: `http://127.0.0.1:${port}/hooks?token=url-canary`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Settings that tell `receiver`. */
export const telling = (receiver: Receiver, more: Record<string, string> = {}) => ({
  WEBHOOK_URL: receiver.url,
  WEBHOOK_SECRET,
  ...more,
});

/** The stored events, the oldest first. */
export const storedEvents = (server: Server) =>
  server.app
    .get(DataSource)
    .getRepository(WebhookItem)
    .find({ order: { createdAt: 'ASC', position: 'ASC' } });

/** Resolves when no event waits any more. */
export const allTold = (server: Server) =>
  until(
    async () => (await storedEvents(server)).every(({ failedAt }) => failedAt !== null),
    'an empty outbox',
  );

/** Changes stored events that failed, or all, as the passing of time does. */
export const changeEvents = (server: Server, values: Partial<WebhookItem>, which = '1 = 1') =>
  server.withDatabase((db) =>
    db.createQueryBuilder().update(WebhookItem).set(values).where(which).execute(),
  );

/** Makes `server` try again at once what it put back, but not what somebody is trying: that would be twice. */
export async function tryAgain(server: Server): Promise<void> {
  // A first or second wait is shorter than this, a lease longer.
  const soon = Date.now() + 15_000;
  await changeEvents(
    server,
    { dueAt: new Date() },
    `(failure IS NOT NULL OR attempts = 0) AND failed_at IS NULL AND due_at < ${soon}`,
  );
  server.app.get(WebhookWorker).wake();
}
