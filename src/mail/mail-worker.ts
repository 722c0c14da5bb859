import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { type DeliveryFailure, type OutboxWork, OutboxWorker } from '../database/outbox-worker.js';
import { mailFailure } from './mail-failure.js';
import { MailSeal } from './mail-seal.js';
import { type MailTemplate, MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.js';
import { LEASE, Outbox } from './outbox.js';
import type { OutboxItem } from './outbox-item.entity.js';

const WORK: OutboxWork = {
  sends: true,
  noun: 'Mail',
  metric: 'latchkey_mail',
  lanes: 4,
  longestTry: LEASE / 2,
  grace: 5_000,
  waits: { first: 15_000, last: 7_200_000 },
  // Its link is no longer good.
  triesLate: false,
};

/** Sends the mails of the outbox. */
@Injectable()
export class MailWorker extends OutboxWorker<OutboxItem> {
  constructor(
    outbox: Outbox,
    private readonly seal: MailSeal,
    private readonly templates: MailTemplates,
    private readonly transport: MailTransport,
    metrics: Metrics,
  ) {
    super(outbox, WORK, new Logger(MailWorker.name), metrics);
  }

  override onApplicationBootstrap(): void {
    const { folder } = this.transport;
    if (folder) this.logger.log(`No SMTP_URL is set: mail is written to ${folder}`);
    super.onApplicationBootstrap();
  }

  protected async deliver(item: OutboxItem, signal: AbortSignal): Promise<void> {
    const { id, template, sealed, createdAt: writtenAt } = item;
    const { to, locale, values, validFor } = this.seal.open(id, sealed);
    const times = { writtenAt, validFor };
    const rendered = this.templates.render(template as MailTemplate, locale, values, times);
    await this.transport.send({ id, to, locale, writtenAt, ...rendered }, signal);
  }

  protected failureOf(error: unknown): DeliveryFailure {
    return mailFailure(error);
  }

  protected kindOf({ template }: OutboxItem): string {
    return template;
  }
}
