import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { chooseLocale } from './locale.js';
import { MailSeal } from './mail-seal.js';
import { MailTemplates, type MailValues } from './mail-templates.js';
import { type MailAnswer, MailWorker } from './mail-worker.js';
import { OutboxItem } from './outbox-item.entity.js';

/** The time after which a mail that could not be sent is given up, in seconds. */
const MAX_AGE = 86_400;

/** A mail to be sent. */
export interface NewMail {
  to: string;
  /** The user whose deletion also deletes the mail; null for the mail about that deletion. */
  userId: string | null;
  /** The name of its files in `templates/mail`. */
  template: string;
  values: MailValues;
  /** The user's stored locale, or the request's `Accept-Language`. */
  locale?: string | null;
  /** For how many seconds its link is valid. The mail states this time, and is not sent later. */
  validFor?: number;
}

/** Stores mail to users. A worker sends it later, so no request waits for a mail server. */
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
   * Stores a mail in the transaction of `manager`. It is sent only if that transaction is committed, and then at
   * least once, unless the mail server refuses it for good or does not accept it within `validFor` or a day.
   *
   * @throws Error if there is no such template
   */
  async enqueue(manager: EntityManager, mail: NewMail): Promise<void> {
    this.expectTemplate(mail.template);
    const { to, userId, template, values, validFor = MAX_AGE } = mail;
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
      validFor: MAX_AGE,
      locale,
    });
  }

  /** Sets what requests of this name are answered with; once, at the start. */
  answerRequests(name: string, answer: MailAnswer): void {
    this.worker.answerWith(name, answer);
  }

  private async store(manager: EntityManager, mail: NewMail & { validFor: number }): Promise<void> {
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
      expiresAt: new Date(now + Math.min(validFor, MAX_AGE) * 1000),
      dueAt: new Date(now),
      attempts: 0,
      failedAt: null,
      failure: null,
    });
    this.database.afterCommit(manager, () => {
      this.worker.wake();
    });
  }

  /** @throws Error if there are no files of this name in `templates/mail` */
  expectTemplate(name: string): void {
    if (!this.templates.has(name)) throw new Error(`There is no mail template "${name}"`);
  }

  /**
   * Returns the URL of a page with parameters. A path is one of this server, at `PUBLIC_URL`; the host that a
   * request names is never used.
   */
  link(page: string, parameters: Record<string, string> = {}): string {
    const url = page.startsWith('/') ? `${this.config.publicUrl}${page}` : page;
    const query = new URLSearchParams(parameters).toString();
    return `${url}${query && `?${query}`}`;
  }
}
