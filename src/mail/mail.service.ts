import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { chooseLocale } from './locale.js';
import { MailSeal, type SealedMail } from './mail-seal.js';
import { MailTemplates, type MailValues } from './mail-templates.js';
import { type MailAnswer, MailWorker } from './mail-worker.js';
import { MailItem } from './mail-item.entity.js';

/** The time after which a mail that could not be sent is given up, in seconds. */
const MAX_AGE = 86_400;

/** A mail to be sent. */
export interface NewMail {
  to: string;
  /** The user whose deletion deletes the mail as well; null for the mail about that deletion. */
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
export class MailService {
  private readonly unexported = new Set<string>();

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
    const locale = chooseLocale(mail.locale, this.templates.locales);
    await this.store(
      manager,
      { userId, template, request: null },
      { to, locale, values, validFor },
    );
  }

  /**
   * Stores a request for a mail to an address. The row is the same for every address, and the account is looked up
   * after the answer, so neither the answer nor its time reveals whether there is one.
   *
   * @param purpose names the answer, see {@link answerRequests}, which gets `values`
   */
  request(
    manager: EntityManager,
    purpose: string,
    { to, locale, values = {} }: { to: string; locale?: string; values?: MailValues },
  ): Promise<void> {
    const content = {
      to,
      locale: chooseLocale(locale, this.templates.locales),
      values,
      validFor: MAX_AGE,
    };
    return this.store(manager, { userId: null, template: null, request: purpose }, content);
  }

  /** Sets the answer to requests of this purpose, at the start. */
  answerRequests(purpose: string, answer: MailAnswer): void {
    this.worker.answerWith(purpose, answer);
  }

  private async store(
    manager: EntityManager,
    kind: Pick<MailItem, 'userId' | 'template' | 'request'>,
    content: SealedMail,
  ): Promise<void> {
    const id = randomUUID();
    const now = clock.now();
    await manager.insert(MailItem, {
      ...kind,
      id,
      sealed: this.seal.seal(id, content),
      createdAt: new Date(now),
      expiresAt: new Date(now + Math.min(content.validFor, MAX_AGE) * 1000),
      dueAt: new Date(now),
      attempts: 0,
      failedAt: null,
      failure: null,
    });
    this.database.afterCommit(manager, () => {
      this.worker.wake();
    });
  }

  /** Keeps the mails of a template out of users' exports, from the start on. */
  leaveOutOfExport(template: string): void {
    this.unexported.add(template);
  }

  /** The templates of {@link leaveOutOfExport}. */
  get leftOutOfExport(): string[] {
    return [...this.unexported];
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
