import { z } from 'zod';
import { choice, folder, isHttpUrl, isLoopback, urlFault } from './setting-types.js';
import type { Settings } from './settings.js';

/** An SMTP server; `secure` is TLS from the first byte. */
export interface SmtpServer {
  host: string;
  port: number;
  secure: boolean;
  auth?: { user: string; pass: string };
}

const smtpUrl = z
  .string()
  .optional()
  .transform((text, ctx): SmtpServer | undefined => {
    if (text === undefined) return undefined;
    const fault = urlFault(text);
    if (fault !== undefined) {
      ctx.addIssue(fault);
      return z.NEVER;
    }
    try {
      const url = new URL(text);
      const rest = url.pathname + url.search + url.hash;
      if (/^smtps?:$/.test(url.protocol) && url.hostname !== '' && /^\/?$/.test(rest)) {
        const secure = url.protocol === 'smtps:';
        return {
          host: url.hostname.replace(/^\[(.+)\]$/, '$1'),
          port: Number(url.port || (secure ? 465 : 587)),
          secure,
          ...(url.username && {
            auth: {
              user: decodeURIComponent(url.username),
              pass: decodeURIComponent(url.password),
            },
          }),
        };
      }
    } catch {
      // Said below, without the value, which may hold a password.
    }
    ctx.addIssue('expected smtps://user:password@host:465 or smtp://user:password@host:587');
    return z.NEVER;
  });

const mailFrom = z
  .string()
  .default('Latchkey <no-reply@localhost>')
  .transform((text, ctx) => {
    const form = /^(?:([^<>"@\p{Cc}]*?) *<([^<>\s@]+@[^<>\s@]+)>|([^<>\s@,;"]+@[^<>\s@,;"]+))$/u;
    const [, name = '', named, bare = ''] = form.exec(text) ?? [];
    if (named !== undefined || bare !== '') return { name, address: named ?? bare };
    ctx.addIssue('expected an address, or a name and an address: Example <no-reply@example.com>');
    return z.NEVER;
  });

const publicUrl = z
  .string()
  .optional()
  .transform((text, ctx) => {
    if (text === undefined) return undefined;
    if (isHttpUrl(text)) return new URL(text).href.replace(/\/+$/, '');
    ctx.addIssue('expected an address such as https://accounts.example.com');
    return z.NEVER;
  });

/** Mail, and the address that its links lead to. */
export const MAIL_SETTINGS = {
  PUBLIC_URL: publicUrl.describe(
    'Where users reach this server, for links in mail; by default `http://localhost:PORT`, or the address in `HOST`; needed ' +
      'with `SMTP_URL` in production',
  ),
  SMTP_URL: smtpUrl.describe(
    '`smtps://user:password@host` or `smtp://…`; by default mail is written to `outbox/` in `DATA_DIR`',
  ),
  SMTP_TLS: choice(['required', 'off'], 'required').describe(
    '`off` sends over `smtp://` without TLS; a loopback address needs none either way',
  ),
  MAIL_FROM: mailFrom.describe('Sender of mail, needed with `SMTP_URL`'),
  REQUIRE_VERIFIED_EMAIL: choice(['on', 'off'], 'off').describe(
    '`on`: registration asks for an e-mail address, and nobody signs in before it is verified',
  ),
  MAIL_TEMPLATES: folder
    .optional()
    .describe('Folder whose files replace those of the same name in `templates/mail`'),
} as const;

/** How mail is sent. */
export interface MailConfig {
  /** Undefined where mail is written to files. */
  smtp: (SmtpServer & { tlsRequired: boolean }) | undefined;
  from: { name: string; address: string };
  /** Whether the log and `/dev/mail` show the mails that are written to files: never in production. */
  shown: boolean;
  /** The folder whose templates replace the built-in ones. */
  templates: string | undefined;
}

/** What the settings mean for mail: who is at a loopback address needs no TLS. */
export function mailConfig(settings: Settings): MailConfig {
  const { SMTP_URL: smtp, SMTP_TLS: tls } = settings;
  return {
    smtp: smtp && { ...smtp, tlsRequired: tls === 'required' && !isLoopback(smtp.host) },
    from: settings.MAIL_FROM,
    shown: settings.NODE_ENV === 'development' && smtp === undefined,
    templates: settings.MAIL_TEMPLATES,
  };
}
