import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import type { OutgoingMail } from './mail-transport.js';

/** The path of the page of sent mails. */
export const SENT_MAILS_PATH = '/dev/mail';

/** How many mails the page shows. */
const SHOWN = 50;

/** A mail as the page shows it. */
export type SentMail = Pick<OutgoingMail, 'to' | 'subject' | 'text' | 'writtenAt'>;

/**
 * Shows a developer the mails of this process in the log and on a page, because the encoding of a mail file cuts
 * links into lines. Works only in development without an SMTP server: a link in a log is as good as a password.
 */
@Injectable()
export class SentMails {
  /** The address of the page; undefined if there is none. */
  readonly url: string | undefined;
  private readonly logger = new Logger(SentMails.name);
  private readonly mails: SentMail[] = [];

  constructor(config: Config) {
    this.url = config.mail.shown ? `${config.publicUrl}${SENT_MAILS_PATH}` : undefined;
  }

  /** The newest mails first. */
  get recent(): readonly SentMail[] {
    return this.mails;
  }

  /** Adds a mail that was written to a file; `values` may hold a link and a code. */
  add({ to, subject, text, writtenAt }: OutgoingMail, values: object): void {
    if (this.url === undefined) return;
    this.mails.unshift({ to, subject, text, writtenAt });
    this.mails.splice(SHOWN);
    const { link, code }: { link?: string; code?: string } = values;
    const rest = [link, code && `code ${code}`].filter(Boolean).join(', ');
    this.logger.log(`Mail to ${to}: ${subject}${rest && `: ${rest}`}`);
  }
}
