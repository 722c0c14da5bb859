import type { MailConfig } from '../config/mail.settings.js';

/** The longest time for connecting, for the greeting and for a silence, in milliseconds. */
const TIMEOUT = 10_000;

type SmtpSettings = NonNullable<MailConfig['smtp']>;

/** Returns nodemailer's options for the SMTP server of the settings. */
export const smtpOptions = (smtp: SmtpSettings) => ({
  host: smtp.host,
  port: smtp.port,
  secure: smtp.secure,
  // `off` asks for no TLS at all, so a bad certificate stops no mail.
  requireTLS: !smtp.secure && smtp.tlsRequired,
  ignoreTLS: !smtp.tlsRequired,
  connectionTimeout: TIMEOUT,
  greetingTimeout: TIMEOUT,
  socketTimeout: TIMEOUT,
});

/** Whether an address needs a server with SMTPUTF8 (RFC 6531). Its domain does not: domains have an ASCII form. */
export const needsSmtpUtf8 = (address: string): boolean =>
  /[^\p{ASCII}]/u.test(address.slice(0, address.lastIndexOf('@')));

/**
 * Whether the SMTP server offers SMTPUTF8. Nodemailer does not check this. It would send the raw bytes of an
 * address, which servers refuse or misread.
 *
 * @param login whether to sign in as well, to check name and password
 * @throws nodemailer's errors
 */
export async function offersSmtpUtf8(
  smtp: SmtpSettings,
  { login = false, signal }: { login?: boolean; signal?: AbortSignal } = {},
): Promise<boolean> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
  const connection = new SMTPConnection(smtpOptions(smtp));
  return new Promise<boolean>((resolve, reject) => {
    const abort = (): void => {
      reject(new Error('The check was aborted'));
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort, { once: true });
    connection.on('error', reject);
    connection.once('end', () => {
      reject(new Error('The SMTP server closed the connection'));
    });
    connection.connect((error) => {
      if (error) {
        reject(error);
        return;
      }
      // At this point, this is the answer to the last EHLO, after STARTTLS.
      const offered = /^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse));
      if (!login || !smtp.auth) {
        resolve(offered);
        return;
      }
      connection.login({ credentials: smtp.auth }, (refused) => {
        if (refused) reject(refused);
        else resolve(offered);
      });
    });
  }).finally(() => {
    connection.close();
  });
}
