import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventsService } from '../common/events.service.js';
import { currentOrigin } from '../common/request-context.js';
import type { Limit } from '../throttling/limit-store.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { mailboxKey } from '../users/mailbox.js';
import type { User } from '../users/user.entity.js';
import type { ByUser } from '../users/user-events.js';
import { MailService, type NewMail } from './mail.service.js';

/** The values of a notice and its language; the rest comes from the user. */
type Notice = Pick<NewMail, 'template' | 'locale' | 'validFor'> & Partial<Pick<NewMail, 'values'>>;

/** The notice about a deletion must not be deleted with its user. */
const ABOUT_DELETION = 'account-deleted';

/**
 * Tells users by mail about changes to their account. A notice gets the value `username`. An unverified address
 * may belong to a stranger, so it gets a few notices of each kind an hour over all accounts, and an empty
 * username, because the user chose that text. A verified address gets every notice. Otherwise a thief could use
 * up the limit by harmless changes and hide the harmful one.
 */
@Injectable()
export class Notices {
  private readonly unverified: Limit;

  constructor(
    private readonly mail: MailService,
    private readonly limits: RateLimits,
    events: EventsService,
  ) {
    // A separate limit: notices must not use up the mails that the owner asks for.
    this.unverified = limits.declare({ ...limits.named('mail'), name: 'unverifiedNotices' });
    const tellOf =
      (template: string) =>
      async (manager: EntityManager, { user, byUser }: { user: User; byUser?: ByUser }) => {
        // A thief with the user's session could have made the change.
        if (byUser) await this.tell(manager, user, { template, locale: byUser.locale });
      };
    events.on('password.changed', tellOf('password-changed'));
    events.on('user.profile_changed', tellOf('account-updated'));
    events.on('user.deleted', tellOf(ABOUT_DELETION));
    events.on('factor.changed', (manager, { user, change, name, byUser: { locale } }) => {
      // The user chose the name, so a stranger must not read it.
      const values = { factor: user.emailVerifiedAt ? name : '' };
      return this.tell(manager, user, { template: `factor-${change}`, locale, values });
    });
    events.on('factors.reset', (manager, { user }) =>
      this.tell(manager, user, { template: 'factors-reset' }),
    );
    events.on('recovery_codes.changed', (manager, { user, change, left, byUser }) => {
      const template = change === 'made' ? 'recovery-codes-made' : 'recovery-code-used';
      const values = { left: String(left) };
      return this.tell(manager, user, { template, locale: byUser?.locale, values });
    });
  }

  /**
   * Stores a notice to the address of `user`, unless another account holds it or the limit is reached. The
   * user's own locale takes precedence over that of the request.
   */
  async tell(manager: EntityManager, user: User, notice: Notice): Promise<void> {
    const { email, emailKey, emailVerifiedAt, locale } = user;
    if (email === null || emailKey === null) return;
    if (!emailVerifiedAt && !(await this.allowed(notice.template, emailKey))) return;
    const username = emailVerifiedAt ? user.username : '';
    await this.mail.enqueue(manager, {
      ...notice,
      to: email,
      userId: notice.template === ABOUT_DELETION ? null : user.id,
      values: { ...notice.values, username },
      locale: locale ?? notice.locale,
    });
  }

  /** Each kind is counted separately. */
  private allowed(template: string, emailKey: string): Promise<boolean> {
    const key = `${template} ${mailboxKey(emailKey)}`;
    return this.limits.allows({ origin: currentOrigin() }, this.unverified, key);
  }
}
