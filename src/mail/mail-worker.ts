import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Metrics } from '../common/metrics.js';
import { Recurring } from '../common/recurring.js';
import { Database } from '../database/database.js';
import { backoff, mailFailure } from './mail-failure.js';
import { MailSeal } from './mail-seal.js';
import { type MailTemplate, MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.js';
import { LEASE, Outbox } from './outbox.js';
import type { OutboxItem } from './outbox-item.entity.js';

/** How often the outbox is looked into for what other instances left, or what is due again. */
const INTERVAL = 5_000;
const DAY = 86_400_000;
/** For servers that never run for a whole day. */
const FIRST_CLEANING = 60_000;

/** How many mails are sent at a time. */
const LANES = 4;

/** How long one try may take, and how long a stop waits for those under way, in milliseconds. */
const LONGEST_TRY = LEASE / 2;
const GRACE = 5_000;

/** Writes the mails that were asked for to an address, if any, through `manager`. */
export type MailAnswer = (manager: EntityManager, to: string, locale: string) => Promise<void>;

/** Sends what is in the outbox. Every instance has one; no mail is with two of them at a time. */
@Injectable()
export class MailWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MailWorker.name);
  private readonly stopping = new AbortController();
  private readonly sending = new Recurring(
    'Sending mail',
    INTERVAL,
    () => this.send(),
    this.logger,
  );
  private readonly cleaning = new Recurring(
    'Cleaning the outbox',
    DAY,
    () => this.outbox.clean(),
    this.logger,
  );
  private readonly results;
  private readonly answers = new Map<string, MailAnswer>();
  private stopped = false;
  private unreachable = false;
  private waiting: Awaited<ReturnType<Outbox['pending']>> = { count: 0, oldest: undefined };

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly seal: MailSeal,
    private readonly templates: MailTemplates,
    private readonly transport: MailTransport,
    metrics: Metrics,
  ) {
    this.results = metrics.counter({
      name: 'latchkey_mail_total',
      help: 'Tries to send a mail, by how they ended: sent, retried, failed (given up)',
      labelNames: ['result'],
    });
    metrics.gauge({
      name: 'latchkey_mail_outbox_pending',
      help: 'Mails that wait to be sent, of all instances',
      collect: () => this.waiting.count,
    });
    metrics.gauge({
      name: 'latchkey_mail_outbox_oldest_seconds',
      help: 'How long the oldest of them has waited',
      collect: () => {
        const { oldest } = this.waiting;
        return oldest ? Math.max(0, Date.now() - oldest.getTime()) / 1000 : 0;
      },
    });
  }

  onApplicationBootstrap(): void {
    const { folder } = this.transport;
    if (folder) this.logger.log(`No SMTP_URL is set: mail is written to ${folder}`);
    this.sending.start(0);
    this.cleaning.start(FIRST_CLEANING);
  }

  /** Lets the tries under way end, within a few seconds. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    const cut = setTimeout(() => {
      this.stopping.abort();
    }, GRACE);
    await Promise.all([this.sending.stop(), this.cleaning.stop()]);
    clearTimeout(cut);
  }

  /** Looks into the outbox now, for what was just stored. */
  wake(): void {
    void this.sending.now();
  }

  /** Sets what a request of this name is answered with. */
  answerWith(name: string, answer: MailAnswer): void {
    this.answers.set(name, answer);
  }

  private async send(): Promise<void> {
    const first = await this.outbox.take();
    if (first) {
      const lanes = Array.from({ length: LANES }, (_, lane) =>
        this.runLane(lane ? undefined : first),
      );
      await Promise.all(lanes);
    }
    this.waiting = await this.outbox.pending();
  }

  /** Sends one mail after another, until there is none or the server fails. */
  private async runLane(first?: OutboxItem): Promise<void> {
    let item = first ?? (await this.outbox.take());
    while (item) {
      const goOn = await this.try(item);
      item = goOn && !this.stopped ? await this.outbox.take() : undefined;
    }
  }

  /** Sends one mail, or puts it back; whether it is worth trying another. */
  private async try(item: OutboxItem): Promise<boolean> {
    if (item.expiresAt <= new Date()) {
      await this.giveUp(item, item.failure ?? 'It could not be sent in time');
      return true;
    }
    const limits = [this.stopping.signal, AbortSignal.timeout(LONGEST_TRY)];
    const answer = this.answers.get(item.template);
    try {
      if (answer) {
        await this.replace(item, answer);
        return true;
      }
      await this.transport.send(this.compose(item), AbortSignal.any(limits));
    } catch (error) {
      return this.putBack(item, error);
    }
    await this.outbox.drop(item);
    this.results.inc({ result: 'sent' });
    this.unreachable = false;
    return true;
  }

  /** Puts the mails that a request asks for in its place, if any; see `Mail.request`. */
  private async replace(item: OutboxItem, answer: MailAnswer): Promise<void> {
    const { to, locale } = this.seal.open(item.id, item.sealed);
    await this.database.transaction(async (manager) => {
      if (await this.outbox.drop(item, manager)) await answer(manager, to, locale);
    });
  }

  private compose({ id, template, sealed, createdAt: writtenAt }: OutboxItem) {
    const { to, locale, values, validFor } = this.seal.open(id, sealed);
    const times = { writtenAt, validFor };
    const rendered = this.templates.render(template as MailTemplate, locale, values, times);
    return { id, to, locale, writtenAt, ...rendered };
  }

  private async putBack(item: OutboxItem, error: unknown): Promise<boolean> {
    const { permanent, ofServer, text } = mailFailure(error);
    if (permanent) {
      await this.giveUp(item, text);
      return true;
    }
    const due = Date.now() + (this.stopping.signal.aborted ? 0 : backoff(item.attempts));
    await this.outbox.putBack(item, text, new Date(Math.min(due, item.expiresAt.getTime())));
    this.results.inc({ result: 'retried' });
    const known = ofServer ? this.unreachable : item.attempts > 1;
    if (!known) this.logger.warn(`Mail ${item.id} (${item.template}) is tried again: ${text}`);
    if (ofServer) this.unreachable = true;
    return !ofServer;
  }

  private async giveUp(item: OutboxItem, failure: string): Promise<void> {
    await this.outbox.putBack(item, failure);
    this.results.inc({ result: 'failed' });
    this.logger.warn(`Mail ${item.id} (${item.template}) was given up: ${failure}`);
  }
}
