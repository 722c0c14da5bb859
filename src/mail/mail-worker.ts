import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Metrics } from '../common/metrics.js';
import { Database } from '../database/database.js';
import { type DeliveryFailure, type OutboxWork, OutboxWorker } from '../outbox/outbox-worker.js';
import { mailFailure } from './mail-failure.js';
import { MailSeal } from './mail-seal.js';
import { MailTemplates, type MailValues } from './mail-templates.js';
import { MailTransport } from './mail-transport.js';
import { LEASE, MailOutbox } from './mail-outbox.js';
import type { MailItem } from './mail-item.entity.js';
import { SentMails } from './sent-mails.js';

const WORK: OutboxWork = {
  sends: true,
  noun: 'Mail',
  metric: 'latchkey_mail',
  concurrency: 4,
  longestTry: LEASE / 2,
  grace: 5_000,
  waits: { first: 15_000, last: 7_200_000 },
  // Its link has expired.
  triesLate: false,
};

/** Answers a request: stores a mail in the transaction of `manager` if an account holds the address `to`. */
export type MailAnswer = (
  manager: EntityManager,
  request: { to: string; locale: string; values: MailValues },
) => Promise<void>;

/** Sends the mails of the outbox. */
@Injectable()
export class MailWorker extends OutboxWorker<MailItem> {
  private readonly answers = new Map<string, MailAnswer>();

  constructor(
    private readonly database: Database,
    private readonly mails: MailOutbox,
    private readonly seal: MailSeal,
    private readonly templates: MailTemplates,
    private readonly transport: MailTransport,
    private readonly sent: SentMails,
    metrics: Metrics,
    cleanup: DailyCleanup,
  ) {
    super(mails, WORK, new Logger(MailWorker.name), { metrics, cleanup });
  }

  override onApplicationBootstrap(): void {
    const { folder } = this.transport;
    const page = this.sent.url ? `, and shown at ${this.sent.url}` : '';
    if (folder) this.logger.log(`No SMTP_URL is set: mail is written to ${folder}${page}`);
    super.onApplicationBootstrap();
  }

  /** Sets the answer to requests of this purpose. */
  answerWith(purpose: string, answer: MailAnswer): void {
    this.answers.set(purpose, answer);
  }

  protected async deliver(item: MailItem, signal: AbortSignal): Promise<boolean> {
    const { id, template, sealed, createdAt: writtenAt } = item;
    if (template === null) return this.answer(item);
    const { to, locale, values, validFor } = this.seal.open(id, sealed);
    const times = { writtenAt, validFor };
    const rendered = this.templates.render(template, locale, values, times);
    const mail = { id, to, locale, writtenAt, ...rendered };
    await this.transport.send(mail, signal);
    this.sent.add(mail, values);
    return true;
  }

  protected failureOf(error: unknown): DeliveryFailure {
    return mailFailure(error);
  }

  protected kindOf({ template, request }: MailItem): string {
    return template ?? `request for ${request}`;
  }

  /** Replaces a request by the mail that it asks for, if any; see `MailService.request`. */
  private async answer(item: MailItem): Promise<false> {
    const { id, request, sealed } = item;
    const answer = this.answers.get(request ?? '');
    if (!answer) throw new Error(`No room answers requests for ${request}`);
    const asked = this.seal.open(id, sealed);
    await this.database.transaction(async (manager) => {
      if (await this.mails.dropIn(manager, item)) await answer(manager, asked);
    });
    return false;
  }
}
