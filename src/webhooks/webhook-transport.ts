import { Injectable } from '@nestjs/common';
import type { Webhook } from 'standardwebhooks';
import { clock } from '../common/clock.js';
import { lazyPackage } from '../common/lazy-package.js';
import type { WebhookItem } from './webhook-item.entity.js';
import { WebhookRefused } from './webhook-failure.js';
import { WebhookReceiver } from './webhook-receiver.js';

const standardwebhooks = lazyPackage('standardwebhooks') as () => typeof import('standardwebhooks');

/** The longest answer that is read, in bytes, so that its connection can be used again. */
const MAX_ANSWER_BYTES = 16_384;

/** Hands events to the address of the settings, by the scheme of Standard Webhooks 1.0. */
@Injectable()
export class WebhookTransport {
  private readonly signers: Webhook[];
  private refused = false;

  constructor(private readonly receiver: WebhookReceiver) {
    this.signers = receiver.secrets.map((secret) => new (standardwebhooks().Webhook)(secret));
  }

  /**
   * Resolves when the receiver has answered 2xx. It follows no redirects.
   *
   * @throws WebhookRefused after another answer, or the errors of `fetch`
   */
  async send({ id, payload }: WebhookItem, signal: AbortSignal): Promise<void> {
    if (this.receiver.url === undefined) throw new Error('No WEBHOOK_URL is set');
    const now = clock.date();
    const response = await fetch(this.receiver.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'latchkey',
        // A receiver that fails over may keep its connections: the next one leads to its successor.
        ...(this.refused && { Connection: 'close' }),
        'Webhook-Id': id,
        'Webhook-Timestamp': String(Math.floor(now.getTime() / 1000)),
        // One signature for each secret: the receiver accepts any that it knows.
        'Webhook-Signature': this.signers.map((signer) => signer.sign(id, now, payload)).join(' '),
      },
      body: payload,
      redirect: 'manual',
      signal,
    });
    await discard(response);
    this.refused = !response.ok;
    if (!response.ok)
      throw new WebhookRefused(response.status, response.headers.get('retry-after'));
  }
}

/** Reads a short answer and cuts a long one off. Only the status counts. */
async function discard({ body }: Response): Promise<void> {
  let length = 0;
  try {
    // Leaving the loop closes the connection.
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) return;
    }
  } catch {
    // The receiver closed the connection, or was too slow.
  }
}
