import { Injectable } from '@nestjs/common';
import { RegistrationService } from '../auth/registration.service.js';
import { currentOrigin } from '../common/request-context.js';
import { MailService } from '../mail/mail.service.js';
import type { Limit } from '../throttling/limit-store.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { isClosedToMail } from '../users/can-sign-in.js';
import { prepareEmail } from '../users/email.js';
import { mailboxKey } from '../users/mailbox.js';
import { isDisabled, type User } from '../users/user.entity.js';
import { mailAccountExists } from './account-exists.js';
import { EmailVerificationService } from './email-verification.service.js';
import { PasswordResetService } from './password-reset.service.js';

/** Mails the reader of an address that a registration names. A mailbox gets a few such mails an hour. */
@Injectable()
export class RegistrationMails {
  private readonly limit: Limit;

  constructor(
    private readonly limits: RateLimits,
    mail: MailService,
    verifications: EmailVerificationService,
    resets: PasswordResetService,
    registration: RegistrationService,
  ) {
    // A separate limit: registrations with an address must not use up the mails that its owner asks for.
    this.limit = limits.declare({ ...limits.named('mail'), name: 'registrationMail' });
    registration.onRegistered(async (manager, user, locale) => {
      if (await this.allows(user)) await verifications.send(manager, user, locale);
    });
    registration.onHeldAddress(async (manager, holder, locale) => {
      if (!(await this.allows(holder))) return;
      const isOpen = !holder.emailVerifiedAt && !isDisabled(holder) && !isClosedToMail(holder);
      if (isOpen) await resets.sendAfterRegistration(manager, holder, locale);
      else await mailAccountExists(mail, manager, holder, locale);
    });
  }

  /** Counts a mail to the address of `user`. */
  private async allows({ email }: User): Promise<boolean> {
    const prepared = prepareEmail(email ?? '');
    if (!prepared.ok) return false;
    const key = mailboxKey(prepared.key);
    return this.limits.allows({ origin: currentOrigin() }, this.limit, key);
  }
}
