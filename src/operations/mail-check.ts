import type { Config } from '../config/config.js';
import { mailFailure } from '../mail/mail-failure.js';
import { offersSmtpUtf8 } from '../mail/smtp-server.js';
import { fail, type Finding, ok, warn } from '../common/finding.js';

/**
 * Checks that the SMTP server of the settings can be reached, accepts Latchkey's login, and takes all
 * addresses.
 */
export async function checkMail({
  production,
  identifier,
  mail: { smtp },
}: Config): Promise<Finding[]> {
  const check = 'mail';
  if (!smtp) {
    if (!production) return [];
    const message = 'SMTP_URL is not set, so mail is written to files and reaches no user';
    const advice = 'set SMTP_URL, MAIL_FROM and PUBLIC_URL';
    if (identifier !== 'email') return [warn(check, message, advice)];
    return [
      fail(check, `${message}: with IDENTIFIER=email no registration can be finished`, advice),
    ];
  }
  const name = `${smtp.host}:${smtp.port}`;
  try {
    if (await offersSmtpUtf8(smtp, { login: true })) {
      return [ok(check, `${name} accepts mail, also to addresses with letters beyond ASCII`)];
    }
  } catch (error) {
    const message = `${name} accepts no mail: ${mailFailure(error).text}`;
    return [fail(check, message, 'check SMTP_URL: the server gives a mail up after a day')];
  }
  const message = `${name} does not offer SMTPUTF8: mail to addresses with letters beyond ASCII is not sent`;
  return [warn(check, message, 'turn SMTPUTF8 on there, or use a server that has it')];
}
