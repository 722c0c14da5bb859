import { z } from 'zod';
import { isLoopbackHost } from '../common/network.js';
import { declareSettings, setting } from './setting.js';
import { choice, folder } from './setting-schemas.js';
import { urlFault } from './urls.js';

/** An SMTP server; `secure` is TLS from the first byte. */
export interface SmtpServer {
  host: string;
  port: number;
  secure: boolean;
  /** Whether Latchkey sends mail only over TLS. */
  tlsRequired: boolean;
  auth?: { user: string; pass: string };
}

const smtpUrl = z
  .string()
  .optional()
  .transform((text, ctx): SmtpServer | undefined => {
    if (text === undefined) return undefined;
    const fault = urlFault(text, ['tls']);
    if (fault !== undefined) {
      ctx.addIssue(fault);
      return z.NEVER;
    }
    const server = smtpServer(text);
    if (server) return server;
    ctx.addIssue(
      'expected smtps://user:password@host:465 or smtp://user:password@host:587, with ?tls=off if it ' +
        'has no TLS',
    );
    return z.NEVER;
  });

/** Reads an SMTP URL; undefined if it is wrong. The error of `URL` would show a password. */
function smtpServer(text: string): SmtpServer | undefined {
  try {
    const url = new URL(text);
    const { protocol, hostname, pathname, search, hash, username, password } = url;
    if (!/^smtps?:$/.test(protocol) || hostname === '' || !/^\/?$/.test(pathname + hash)) return;
    const secure = protocol === 'smtps:';
    const plain = search === '?tls=off';
    if (search !== '' && (secure || !plain)) return;
    const host = hostname.replace(/^\[(.+)\]$/, '$1');
    return {
      host,
      port: Number(url.port || (secure ? 465 : 587)),
      secure,
      // Mail to this machine passes no network.
      tlsRequired: !plain && !isLoopbackHost(host),
      ...(username && {
        auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
      }),
    };
  } catch {
    return undefined;
  }
}

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

export const MAIL_SETTINGS = declareSettings('Mail', {
  SMTP_URL: setting({
    schema: smtpUrl,
    summary:
      '`smtps://user:password@host` or `smtp://…`. `smtp://` requires STARTTLS, except to a loopback ' +
      'address or with `?tls=off`. By default Latchkey writes mail to `outbox/` in `DATA_DIR`.',
    example: 'smtps://user:password@smtp.example.com',
  }),
  MAIL_FROM: setting({
    schema: mailFrom,
    summary: 'The sender of mail, required with `SMTP_URL`.',
    example: 'Example <no-reply@example.com>',
  }),
  REQUIRE_VERIFIED_EMAIL: setting({
    schema: choice(['on', 'off'], 'off'),
    summary:
      'With `on`, a registration requires an e-mail address, and a user can sign in only after ' +
      'verifying it.',
    example: 'on',
  }),
  MAIL_TEMPLATES: setting({
    schema: folder.optional(),
    summary: 'A folder with files that replace those of the same name in `templates/mail`.',
    example: 'mail-templates',
  }),
});

/** How Latchkey sends mail. */
export interface MailConfig {
  /** Undefined if Latchkey writes mail to files. */
  smtp: SmtpServer | undefined;
  from: { name: string; address: string };
  /** Whether the log and `/dev/mail` show the mails that are written to files: never in production. */
  shown: boolean;
  /** The folder with templates that replace the built-in ones. */
  templates: string | undefined;
}
