import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { currentOrigin } from '../common/request-context.js';
import { Mail, type NewMail } from '../mail/mail.service.js';
import type { MailTemplate, MailValues } from '../mail/mail-templates.js';
import type { Limit } from '../throttling/limit-store.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { mailboxKey } from '../users/mailbox.js';
import type { User } from '../users/user.entity.js';

/** The mails that tell of what was done to an account, and name it. */
export type Notice = {
  [T in MailTemplate]: MailValues[T] extends { username: string } ? T : never;
}[MailTemplate];

/** A notice, but for what is had from the user. */
type NewNotice = Pick<NewMail<Notice>, 'template' | 'locale' | 'validFor'> & {
  values?: { link: string };
};

/**
 * Tells users by mail of what was done to their account. Whoever registers may give a stranger's
 * address, so one that nobody has verified gets a few of each kind an hour, over all accounts, and in none
 * of them text that a user chose. Each kind is counted for itself, and to a verified address none is ever
 * left out: by changes that matter little a thief could use up what is allowed, and hide the one that does.
 */
@Injectable()
export class Notices {
  private readonly unverified: Limit;

  constructor(
    private readonly mail: Mail,
    private readonly limits: RateLimits,
  ) {
    // Apart from what is asked for: by notices nobody must use up the mails that the owner asks for.
    this.unverified = limits.declare({ ...limits.named('mail'), name: 'unverifiedNotices' });
  }

  /**
   * Stores a notice to the address that `user` has here, where nobody else holds it, or leaves it out. The
   * user's own language goes before that of the request.
   */
  async tell(manager: EntityManager, user: User, notice: NewNotice): Promise<void> {
    const { email, emailKey, emailVerifiedAt, locale } = user;
    if (email === null || emailKey === null) return;
    if (!emailVerifiedAt && !(await this.allowed(notice.template, emailKey))) return;
    const username = emailVerifiedAt ? user.username : '';
    await this.mail.enqueue(manager, {
      ...notice,
      to: email,
      userId: notice.template === 'account-deleted' ? null : user.id,
      values: { ...notice.values, username },
      locale: locale ?? notice.locale,
    });
  }

  private allowed(template: Notice, emailKey: string): Promise<boolean> {
    const key = `${template} ${mailboxKey(emailKey)}`;
    return this.limits.allows({ origin: currentOrigin() }, this.unverified, key);
  }
}
