import { clock } from '../common/clock.js';
import type { DeliveryFailure } from '../outbox/outbox-worker.js';

/** The receiver answered, but not 2xx. */
export class WebhookRefused extends Error {
  constructor(
    readonly status: number,
    /** As the header has it. */
    readonly retryAfter: string | null,
  ) {
    super(`The receiver answers ${status}`);
  }
}

/**
 * Reads what {@link WebhookTransport.send} throws. Of addresses and answers nothing is kept: the one may
 * hold a token, the other anything.
 */
export function webhookFailure(error: unknown, now = clock.now()): DeliveryFailure {
  if (error instanceof WebhookRefused) {
    return {
      // By Standard Webhooks the receiver wants no more of it.
      permanent: error.status === 410,
      ofServer: true,
      text: error.message,
      retryAfter: readRetryAfter(error.retryAfter, now),
    };
  }
  const { name, cause } = error as Error;
  const { code, name: kind } = (cause ?? {}) as { code?: string; name?: string };
  const known = name === 'TypeError' ? (code ?? kind ?? name) : name;
  // Node has a code for each reason up to 22, and none from 24 on.
  const text =
    kind === 'HTTPParserError'
      ? 'The receiver answers in something other than HTTP'
      : `The receiver was not reached: ${known}`;
  return { permanent: false, ofServer: true, text };
}

/** Milliseconds from `now` that a `Retry-After` asks for (RFC 9110, section 10.2.3). */
function readRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Without the zone it is no HTTP date, and much else would be one.
  const until = text.endsWith(' GMT') ? Date.parse(text) : NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}
