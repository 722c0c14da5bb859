import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { chooseLocale } from './locale.js';
import { MailSeal } from './mail-seal.js';
import { MailTemplates, type MailTemplate, type MailValues } from './mail-templates.js';
import { type MailAnswer, MailWorker } from './mail-worker.js';
import { OutboxItem } from './outbox-item.entity.js';

/** After this a mail that could not be sent is given up, in seconds. */
const LONGEST = 86_400;

/** A mail to be sent. */
export interface NewMail<T extends MailTemplate> {
  to: string;
  /** Whom it is about; null only where the account is gone, or its mail would go with it. */
  userId: string | null;
  template: T;
  values: MailValues[T];
  /** The user's stored locale, or the request's `Accept-Language`. */
  locale?: string | null;
  /** For how many seconds its link is good: said in the mail, which is not sent after that. */
  validFor?: number;
}

/** Mail to users. Nothing is sent within a request: what is to be sent is stored, and sent after. */
@Injectable()
export class Mail {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly seal: MailSeal,
    private readonly templates: MailTemplates,
    private readonly worker: MailWorker,
  ) {}

  /**
   * Stores a mail through `manager`, so that it is sent if, and only if, what else that transaction
   * writes is committed. It is sent at least once, unless its server refuses it for good or does not
   * take it within `validFor` or a day.
   */
  async enqueue<T extends MailTemplate>(manager: EntityManager, mail: NewMail<T>): Promise<void> {
    const { to, userId, template, values, validFor = LONGEST } = mail;
    await this.store(manager, { to, userId, template, values, validFor, locale: mail.locale });
  }

  /**
   * Takes a request for a mail to an address, whoever may have it: one row is stored, the same for
   * every address, and what {@link answerRequests} set looks for the account only after the request
   * was answered, so that neither the answer nor its time tells whether there is one.
   */
  request(manager: EntityManager, name: string, to: string, locale?: string): Promise<void> {
    return this.store(manager, {
      to,
      userId: null,
      template: name,
      values: {},
      validFor: LONGEST,
      locale,
    });
  }

  /** Sets what requests of this name are answered with; once, at the start. */
  answerRequests(name: string, answer: MailAnswer): void {
    this.worker.answerWith(name, answer);
  }

  private async store(
    manager: EntityManager,
    mail: Omit<NewMail<MailTemplate>, 'template'> & { template: string; validFor: number },
  ): Promise<void> {
    const { to, userId, template, values, validFor } = mail;
    const id = randomUUID();
    const now = clock.now();
    const locale = chooseLocale(mail.locale, this.templates.locales);
    await manager.insert(OutboxItem, {
      id,
      userId,
      template,
      sealed: this.seal.seal(id, { to, locale, values, validFor }),
      createdAt: new Date(now),
      expiresAt: new Date(now + Math.min(validFor, LONGEST) * 1000),
      dueAt: new Date(now),
      attempts: 0,
      failedAt: null,
      failure: null,
    });
    this.database.afterCommit(manager, () => {
      this.worker.wake();
    });
  }

  /** The address of a page on this server, by `PUBLIC_URL` and never by what a request says. */
  link(path: string, parameters: Record<string, string> = {}): string {
    const query = new URLSearchParams(parameters).toString();
    return `${this.config.publicUrl}${path}${query && `?${query}`}`;
  }
}
