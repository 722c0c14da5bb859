import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { WEBHOOK_SETTINGS } from './webhook.settings.js';

/** The service that Latchkey tells of changes, as the settings describe it. */
@Injectable()
export class WebhookReceiver {
  /** Undefined if Latchkey sends no webhooks. It may contain a token of the receiver, so it is never logged. */
  readonly url: string | undefined;
  readonly secrets: readonly string[];
  /** How long the receiver has to answer before Latchkey tries again, in seconds. */
  readonly timeout: number = 15;

  constructor(config: Config) {
    const settings = config.of(WEBHOOK_SETTINGS);
    this.url = settings.WEBHOOK_URL;
    this.secrets = settings.WEBHOOK_SECRET;
  }
}
