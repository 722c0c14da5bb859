import { clock } from '../common/clock.js';
import type { DeliveryFailure } from '../outbox/outbox-worker.js';

/** The receiver answered, but not 2xx. */
export class WebhookRefused extends Error {
  constructor(
    readonly status: number,
    /** The header's value. */
    readonly retryAfter: string | null,
  ) {
    super(`The receiver answers ${status}`);
  }
}

/**
 * Interprets an error of {@link WebhookTransport.send}. It keeps no address and no answer: an address may
 * contain a token, and an answer anything.
 */
export function webhookFailure(error: unknown, now = clock.now()): DeliveryFailure {
  if (error instanceof WebhookRefused) {
    return {
      // By Standard Webhooks the receiver wants no further delivery.
      permanent: error.status === 410,
      ofServer: true,
      text: error.message,
      retryAfter: readRetryAfter(error.retryAfter, now),
    };
  }
  const { name, cause } = error as Error;
  const { code, name: kind } = (cause ?? {}) as { code?: string; name?: string };
  const known = name === 'TypeError' ? (code ?? kind ?? name) : name;
  // Up to Node 22 each reason has a code, and from Node 24 on it has none.
  const text =
    kind === 'HTTPParserError'
      ? 'The receiver answers in something other than HTTP'
      : `The receiver was not reached: ${known}`;
  return { permanent: false, ofServer: true, text };
}

/** Returns the milliseconds from `now` that a `Retry-After` asks for (RFC 9110, section 10.2.3). */
function readRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // An HTTP date has the zone. Without this check many other texts would parse.
  const until = text.endsWith(' GMT') ? Date.parse(text) : NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}
