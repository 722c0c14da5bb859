import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { createTransport, SendMailOptions } from 'nodemailer';
import { Config } from '../config/config.js';
import type { RenderedMail } from './mail-templates.js';
import { needsSmtpUtf8, offersSmtpUtf8, smtpOptions } from './smtp-server.js';

/** A mail that is ready to be sent. Its `id` and `writtenAt` stay the same at each attempt. */
export interface OutgoingMail extends RenderedMail {
  id: string;
  to: string;
  locale: string;
  writtenAt: Date;
}

/** Sends mail by the SMTP server of the settings, or writes it to files if none is set. */
@Injectable()
export class MailTransport {
  /** The folder for mail files, if no SMTP server is set. */
  readonly folder: string | undefined;
  private transporter: ReturnType<typeof createTransport> | undefined;

  constructor(private readonly config: Config) {
    this.folder = config.mail.smtp ? undefined : join(config.dataDir, 'outbox');
  }

  /**
   * Resolves when the server has accepted the mail, or its file is complete.
   *
   * @throws nodemailer's errors; an Error if the server does not support such an address
   */
  async send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    const { name, address } = this.config.mail.from;
    await this.expectSmtpUtf8([address, mail.to], signal);
    const message: SendMailOptions = {
      from: { name, address },
      to: { name: '', address: mail.to },
      // The envelope names one recipient, whatever an address does to the headers.
      envelope: { from: address, to: [mail.to] },
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      messageId: `<${mail.id}@${address.split('@').at(-1)}>`,
      date: mail.writtenAt,
      headers: {
        'Content-Language': mail.locale,
        // RFC 3834: machines must not answer.
        'Auto-Submitted': 'auto-generated',
      },
      signal,
    };
    this.transporter ??= await this.open();
    const sent = (await this.transporter.sendMail(message)) as { message?: unknown };
    if (this.folder !== undefined) await this.write(this.folder, mail, sent.message as Buffer);
  }

  /** Loads the library with the first mail, because its 39 files would slow down the start. */
  private async open(): Promise<ReturnType<typeof createTransport>> {
    const { createTransport } = await import('nodemailer');
    const { smtp } = this.config.mail;
    const never = { disableFileAccess: true, disableUrlAccess: true };
    return smtp
      ? createTransport({ ...smtpOptions(smtp), auth: smtp.auth, ...never })
      : createTransport({ streamTransport: true, buffer: true, ...never });
  }

  /** @throws Error if an address needs SMTPUTF8 and the server does not offer it */
  private async expectSmtpUtf8(addresses: string[], signal: AbortSignal): Promise<void> {
    const { smtp } = this.config.mail;
    if (!smtp || !addresses.some(needsSmtpUtf8)) return;
    if (await offersSmtpUtf8(smtp, { signal })) return;
    throw new Error('The SMTP server does not offer SMTPUTF8, which the address needs');
  }

  /** Writes the file at once, by renaming it. A mail that is written again replaces its file. */
  private async write(folder: string, { id, writtenAt }: OutgoingMail, message: Buffer) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${writtenAt.toISOString().replaceAll(/[^\dTZ]/g, '')}-${id}.eml`);
    // Loaded with the first mail: a server with an SMTP server needs none of it.
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(path, message, { mode: 0o600 });
  }
}
