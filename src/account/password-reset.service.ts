import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Address, Addresses, type Asking } from '../addresses/addresses.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { Mail } from '../mail/mail.service.js';
import { OneTimeTokens, type Presented } from '../one-time-tokens/one-time-tokens.service.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { UserChanges } from '../sessions/user-changes.js';
import { prepareEmail } from '../users/email.js';
import { isDisabled, User } from '../users/user.entity.js';
import { UserEvents } from '../users/user-events.js';

/** What may be asked for by who is not signed in, as rows of the outbox name it. */
const REQUESTS = { reset: 'request-password-reset', verification: 'request-verification' } as const;

/** The ways back into an account, and to a verified address, for who is not signed in. */
@Injectable()
export class PasswordResetService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly mail: Mail,
    private readonly addresses: Addresses,
    private readonly tokens: OneTimeTokens,
    private readonly newPasswords: NewPasswords,
    private readonly userChanges: UserChanges,
    private readonly events: UserEvents,
  ) {}

  onModuleInit(): void {
    // Mail goes to the address as its owner typed it, not as the one who asks did: two addresses with
    // one unique form may be two mailboxes.
    this.answer('reset', async (manager, user, locale) => {
      if (!isDisabled(user)) await this.addresses.sendReset(manager, user, locale);
    });
    this.answer('verification', async (manager, user, locale) => {
      if (!user.emailVerifiedAt) await this.addresses.sendVerification(manager, user, locale);
    });
  }

  /** Asks for a mail to who forgot the password; does, and takes, the same for every address. */
  request(what: keyof typeof REQUESTS, { email }: Address, locale?: string): Promise<void> {
    return this.database.write((manager) =>
      this.mail.request(manager, REQUESTS[what], email, locale),
    );
  }

  /**
   * Sets a new password by a mailed link or code, and ends all sessions. The address is verified by
   * it. A password that is refused leaves the link good.
   *
   * @throws ApiError link_invalid, code_invalid, weak_password, overloaded, unavailable
   */
  async reset(presented: Presented, password: string, asking?: Asking): Promise<void> {
    const located = await this.tokens.locate(presented, 'reset-password');
    const { username, email } = await this.tokens.look(located, 'reset-password');
    const owner = { username, email: email ?? undefined };
    const passwordHash = await this.newPasswords.hash(password, owner, asking);
    await this.database.transaction((inside) =>
      this.tokens.redeemIn(inside, located, 'reset-password', async (manager, user) => {
        if (isDisabled(user)) throw new ApiError(located.code);
        await this.userChanges.resetPassword(manager, user.id, passwordHash);
        if (!user.emailVerifiedAt && user.emailKey !== null) {
          await manager.update(User, { id: user.id }, { emailVerifiedAt: clock.date() });
          await this.events.updated(manager, user.id);
        }
        await this.mail.enqueue(manager, {
          to: user.email ?? '',
          userId: user.id,
          template: 'password-changed',
          values: { username: user.username },
          locale: user.locale ?? asking?.locale,
        });
      }),
    );
  }

  /** What the holder of an address that a request names is mailed; nothing where there is none. */
  private answer(
    what: keyof typeof REQUESTS,
    send: (manager: EntityManager, holder: User, locale: string) => Promise<void>,
  ): void {
    this.mail.answerRequests(REQUESTS[what], async (manager, to, locale) => {
      const prepared = prepareEmail(to);
      const holder = prepared.ok && (await this.addresses.holder(manager, prepared.key));
      if (holder) await send(manager, holder, locale);
    });
  }
}
