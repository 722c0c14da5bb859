import { Injectable } from '@nestjs/common';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { StepUpService } from '../auth/step-up.service.js';
import { Database } from '../database/database.js';
import { MailService } from '../mail/mail.service.js';
import type { LinkOrCode } from '../mailed-links/link-or-code.js';
import type { MailedLink } from '../mailed-links/mailed-link.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { lockHolder } from '../users/lock-user.js';
import type { Address } from '../users/nameless.js';
import { mailAccountExists } from './account-exists.js';
import { refuseConflict } from './address-conflict.js';
import { EmailChangeUndoService } from './email-change-undo.service.js';
import { CONFIRM_EMAIL } from './page-texts.js';
import type { ChangeEmailBody } from './recovery.schemas.js';

/** Moves an account to a new e-mail address, once the user confirms it by a link or code mailed there. */
@Injectable()
export class EmailChangeService {
  private readonly link: MailedLink<Address>;

  constructor(
    private readonly mail: MailService,
    private readonly claims: AddressClaimsService,
    private readonly undo: EmailChangeUndoService,
    private readonly users: SignedInUserService,
    private readonly stepUp: StepUpService,
    private readonly database: Database,
    links: MailedLinks,
  ) {
    this.link = links.declare({
      purpose: 'confirm-email',
      lifetime: 86_400,
      code: true,
      toNewAddress: true,
      guard: ({ passwordHash, email, emailKey }) => [passwordHash, email, emailKey],
      page: CONFIRM_EMAIL,
      redeem: ({ token, locale }) => this.confirm({ token }, locale),
    });
  }

  /**
   * Mails a link to the new address. `permit` is called after the step-up, so a request that may not change the
   * address does not count against the limit of the new one.
   *
   * @throws ApiError reauthentication_required, wrong_password, overloaded, unavailable, and the errors of `permit`
   */
  async request(
    own: OwnRequest,
    body: ChangeEmailBody,
    permit: () => Promise<void>,
    options?: HashOptions,
  ): Promise<void> {
    const user = await this.users.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    await permit();
    await this.database.transaction(async (manager) => {
      const present = await this.users.lock(manager, user.id);
      // The step-up used the old password, and the new password must end this link.
      if (present.passwordHash !== user.passwordHash) throw await this.users.changedMeanwhile(user);
      const { email, emailKey }: Address = body.email;
      const holder = await lockHolder(manager, emailKey);
      const isTaken = Boolean(holder?.emailVerifiedAt) && holder?.id !== user.id;
      if (holder && isTaken) {
        await mailAccountExists(this.mail, manager, holder, present.locale ?? own.locale);
      }
      // A link is made in any case: it ends the older one, which would otherwise reveal that the address is taken.
      await this.link.send(manager, present, {
        to: isTaken ? null : email,
        payload: { email, emailKey },
        locale: own.locale,
      });
    });
  }

  /**
   * Gives the account its new address and tells the old one. A verified old address gets a link to undo it.
   *
   * @param locale the request's `Accept-Language`
   * @throws ApiError link_invalid, code_invalid
   */
  async confirm(given: LinkOrCode, locale?: string): Promise<void> {
    await refuseConflict(given, () =>
      this.link.redeem(given, async (manager, { user, payload }) => {
        const { email, emailKey } = payload;
        await this.claims.claim(manager, user, { email, emailKey }, 'changed');
        // A user may also confirm the present address, or change its spelling. Its mailbox stays the same.
        if (user.emailKey !== emailKey) await this.undo.offerAfterChange(manager, user, locale);
      }),
    );
  }
}
