import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { currentContext, type RequestContext, runInContext } from '../common/request-context.js';
import { lock } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import type { MailValues } from '../mail/mail-templates.js';
import { MailService } from '../mail/mail.service.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { pendingHash } from '../passwords/stored-hash.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { prepareEmail } from '../users/email.js';
import { lockHolder } from '../users/lock-user.js';
import { namedByAddress } from '../users/nameless.js';
import { UsersService } from '../users/users.service.js';
import type { AddressRegistrationBody } from './auth.schemas.js';
import { RegistrationService } from './registration.service.js';

/** Names the requests in the mail's outbox. */
const PURPOSE = 'registration';

/**
 * Registers users by their address alone. Every address gets the same answer, after the same work: the request
 * stores one row in the mail's outbox, and the account is made or found after the answer.
 *
 * A password does not count before the address is verified, so no login tells whether the address was free. If
 * somebody registers again before that, no password counts, and the reader of the mailbox sets a new one. So a
 * stranger who was first gets no account that the owner of the address confirms.
 */
@Injectable()
export class AddressRegistrationService {
  constructor(
    private readonly database: Database,
    private readonly mail: MailService,
    private readonly newPasswords: NewPasswords,
    private readonly users: UsersService,
    private readonly claims: AddressClaimsService,
    private readonly registration: RegistrationService,
  ) {
    mail.answerRequests(PURPOSE, (manager, { to, locale, values }) =>
      runInContext(contextOf(values), () => this.answer(manager, to, locale, values)),
    );
  }

  /**
   * Stores a request to register.
   *
   * @param locale the request's `Accept-Language`
   * @throws ApiError weak_password with the reason, overloaded, unavailable
   */
  async register(
    { email: { email, emailKey }, password, ...profile }: AddressRegistrationBody,
    locale?: string,
    options?: HashOptions,
  ): Promise<void> {
    const passwordHash = await this.newPasswords.hash(
      password,
      { username: email, email },
      options,
    );
    const { requestId, address, userAgent, local } = currentContext();
    const values = {
      ...profile,
      passwordHash,
      requestId,
      address,
      userAgent,
      local: local && 'yes',
    };
    await this.database.transaction(async (manager) => {
      // The link of an earlier registration may be followed before the outbox comes to this one.
      await this.claims.contest(manager, emailKey);
      await this.mail.request(manager, PURPOSE, { to: email, locale, values: textsOf(values) });
    });
  }

  /** Makes the account of a free address, and lets other rooms mail its reader or the holder of a taken one. */
  private async answer(
    manager: EntityManager,
    email: string,
    locale: string,
    { passwordHash = '', displayName, locale: own }: MailValues,
  ): Promise<void> {
    const prepared = prepareEmail(email);
    if (!prepared.ok) return;
    const address = { email, emailKey: prepared.key };
    // Two registrations at once would both find the address free.
    await lock(manager, 'registrations');
    await this.claims.contest(manager, address.emailKey);
    const holder = await lockHolder(manager, address.emailKey);
    if (holder) return this.registration.tellHolder(manager, holder, locale);
    const user = await this.users.register(manager, {
      ...address,
      ...namedByAddress(address),
      displayName: displayName ?? null,
      locale: own ?? null,
      passwordHash: pendingHash(passwordHash),
    });
    await this.registration.tellRegistered(manager, user, locale);
  }
}

/** Returns the values that are texts. */
const textsOf = (values: Record<string, string | null | false>): MailValues =>
  Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );

/** Returns the origin of the request, for the audit and the limits. */
const contextOf = ({
  requestId,
  address,
  userAgent,
  local,
}: MailValues): Partial<RequestContext> => ({
  source: 'request',
  requestId: requestId ?? null,
  address: address ?? null,
  userAgent: userAgent ?? null,
  local: local !== undefined,
});
