import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SignedInUserService } from '../auth/signed-in-user.service.js';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';
import { MailService } from '../mail/mail.service.js';
import type { LinkOrCode } from '../mailed-links/link-or-code.js';
import type { MailedLink } from '../mailed-links/mailed-link.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { prepareEmail } from '../users/email.js';
import { lockHolder } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { mailAccountExists } from './account-exists.js';
import { refuseConflict } from './address-conflict.js';
import { VERIFY_EMAIL } from './page-texts.js';

/** Verifies the e-mail address of an account by a mailed link or code. */
@Injectable()
export class EmailVerificationService {
  private readonly link: MailedLink;

  constructor(
    private readonly mail: MailService,
    private readonly claims: AddressClaimsService,
    private readonly users: SignedInUserService,
    private readonly database: Database,
    links: MailedLinks,
  ) {
    this.link = links.declare({
      purpose: 'verify-email',
      lifetime: 86_400,
      code: true,
      guard: ({ email }) => [email],
      page: VERIFY_EMAIL,
      leadsToSignIn: true,
      onRequest: async (manager, user, locale) => {
        if (!user.emailVerifiedAt) await this.send(manager, user, locale);
      },
      redeem: ({ token }) => this.verify({ token }),
    });
  }

  /** Mails the link to the account that holds `email`, if there is one; see `MailedLink.request`. */
  request(email: string, locale?: string): Promise<void> {
    return this.link.request(email, locale);
  }

  /**
   * Mails a signed-in user the link again, unless the address is verified.
   *
   * @param permit counts a mail to an address, by its unique form
   * @throws ApiError email_missing, and the errors of `permit`
   */
  async resend(
    userId: string,
    permit: (emailKey: string) => Promise<void>,
    locale?: string,
  ): Promise<void> {
    const { email } = await this.users.find(userId);
    const emailKey = keyOf(email ?? '');
    if (emailKey !== '') await permit(emailKey);
    await this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      if (user.email === null) throw new ApiError('email_missing');
      if (!user.emailVerifiedAt) await this.send(manager, user, locale);
    });
  }

  /**
   * Marks the address of an account as verified. An unverified account that holds it loses it.
   *
   * @throws ApiError link_invalid, code_invalid
   */
  async verify(given: LinkOrCode): Promise<void> {
    await refuseConflict(given, () =>
      this.link.redeem(given, async (manager, { user }) => {
        const email = user.email ?? '';
        await this.claims.claim(manager, user, { email, emailKey: keyOf(email) }, 'verified');
      }),
    );
  }

  /**
   * Mails the link. If another account holds the address, that account's user is told. If that account never
   * verified it, `user` may still take it; otherwise no link is mailed.
   */
  async send(manager: EntityManager, user: User, locale?: string): Promise<void> {
    const { email, emailKey } = user;
    if (email === null) return;
    const holder = emailKey === null ? await lockHolder(manager, keyOf(email)) : null;
    if (holder) await mailAccountExists(this.mail, manager, holder, user.locale ?? locale);
    // A link is made in any case: it ends the older one, which would otherwise reveal that the address is taken.
    const to = holder?.emailVerifiedAt ? null : email;
    await this.link.send(manager, user, { to, payload: null, locale });
  }
}

/** Returns the unique form of a stored address; empty if the present rules would refuse the address. */
function keyOf(email: string): string {
  const prepared = prepareEmail(email);
  return prepared.ok ? prepared.key : '';
}
