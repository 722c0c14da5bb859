import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { Database } from '../database/database.js';
import type { LinkOrCode } from '../mailed-links/link-or-code.js';
import type { MailedLink } from '../mailed-links/mailed-link.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { isClosedToMail } from '../users/can-sign-in.js';
import { isDisabled, User } from '../users/user.entity.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { RESET_PASSWORD } from './page-texts.js';

/** The mail to an address that was registered again. */
const AGAIN = 'registered-again';

/** How a request waits for the hash, and its `Accept-Language`. */
interface ResetOptions extends HashOptions {
  locale?: string;
}

/** Lets a user set a new password by a mailed link or code. */
@Injectable()
export class PasswordResetService {
  private readonly link: MailedLink;

  constructor(
    private readonly newPasswords: NewPasswords,
    private readonly database: Database,
    private readonly userChanges: UserChangesService,
    private readonly events: EventsService,
    links: MailedLinks,
  ) {
    this.link = links.declare({
      purpose: 'reset-password',
      lifetime: 30 * 60,
      code: true,
      guard: ({ passwordHash, email, emailKey }) => [passwordHash, email, emailKey],
      page: RESET_PASSWORD,
      leadsToSignIn: true,
      onRequest: async (manager, user, locale) => {
        if (!isDisabled(user) && !isClosedToMail(user)) await this.send(manager, user, locale);
      },
      accountName: ({ username }) => username,
      redeem: ({ token, password, ...options }) => this.reset({ token }, password, options),
    });
  }

  /** Mails the link to the account that holds `email`, if there is one; see `MailedLink.request`. */
  request(email: string, locale?: string): Promise<void> {
    return this.link.request(email, locale);
  }

  /** Mails the link to the address of `user`. */
  async send(manager: EntityManager, user: User, locale?: string, mail?: string): Promise<void> {
    await this.events.publish(manager, { type: 'password.reset_requested', userId: user.id });
    await this.link.send(manager, user, { to: user.email ?? '', payload: null, locale, mail });
  }

  /** Mails the link to the reader of an address that was registered again before its account verified it. */
  sendAfterRegistration(manager: EntityManager, user: User, locale?: string): Promise<void> {
    return this.send(manager, user, locale, AGAIN);
  }

  /**
   * Sets a new password, ends all sessions and verifies the address. If the password is refused, the link stays
   * valid.
   *
   * @throws ApiError link_invalid, code_invalid, weak_password, overloaded, unavailable
   */
  async reset(given: LinkOrCode, password: string, options?: ResetOptions): Promise<void> {
    const checked = await this.link.check(given);
    const { username, email } = checked.user;
    const owner = { username, email: email ?? undefined };
    const passwordHash = await this.newPasswords.hash(password, owner, options);
    await this.database.transaction(async (manager) => {
      const { user } = await this.link.redeemIn(manager, checked);
      if (isDisabled(user) || isClosedToMail(user)) throw new ApiError(checked.refusal);
      const verifies = !user.emailVerifiedAt && user.emailKey !== null;
      const emailVerifiedAt = verifies ? clock.date() : user.emailVerifiedAt;
      if (verifies) await manager.update(User, { id: user.id }, { emailVerifiedAt });
      // The link has verified the address, so the notice about the password goes to a verified one.
      const proven = { ...user, emailVerifiedAt };
      const byUser = { locale: options?.locale };
      await this.userChanges.setPassword(manager, proven, passwordHash, { cause: 'reset', byUser });
      if (verifies) await this.events.publish(manager, { type: 'user.updated', userId: user.id });
    });
  }
}
