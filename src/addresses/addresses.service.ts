import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { Mail } from '../mail/mail.service.js';
import { OneTimeTokens, type Presented } from '../one-time-tokens/one-time-tokens.service.js';
import type { OneTimePayloads } from '../one-time-tokens/purposes.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { unusableHash } from '../passwords/stored-hash.js';
import { RevocationsService } from '../sessions/revocations.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { prepareEmail } from '../users/email.js';
import { User } from '../users/user.entity.js';
import { UserEvents } from '../users/user-events.js';
import { type Address, AddressClaims } from './address-claims.js';
import { PAGES } from './pages.js';
import { WaysBack } from './ways-back.js';

export type { Address } from './address-claims.js';

/** The mails that carry a link and a code, by what these are for. */
const LINK_MAILS = {
  'verify-email': 'verify-email',
  'change-email': 'confirm-new-address',
  'reset-password': 'reset-password',
} as const;

/** How somebody asks for what takes a hash and is told of by mail. */
export interface Asking extends HashOptions {
  /** `Accept-Language`; a user's own locale goes before it. */
  locale?: string;
}

/**
 * Who an e-mail address belongs to. The first account to name an address holds it (`emailKey`) and may
 * sign in by it; one that names it later is told nothing and has it in `email` alone. Whoever shows by
 * a mailed link or code that the mailbox is theirs takes it from a holder that never did.
 */
@Injectable()
export class Addresses {
  constructor(
    private readonly mail: Mail,
    private readonly tokens: OneTimeTokens,
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly revocations: RevocationsService,
    private readonly audit: Audit,
    private readonly events: UserEvents,
    private readonly claims: AddressClaims,
    private readonly waysBack: WaysBack,
  ) {}

  /** Who holds an address; locked on PostgreSQL until the transaction of `manager` ends. */
  holder(manager: EntityManager, emailKey: string): Promise<User | null> {
    return this.claims.holder(manager, emailKey);
  }

  /**
   * Mails a user a link and a code that show the address to be theirs. Where somebody else holds it,
   * that one is told that somebody tried; and if it was never verified, the user may still take it.
   *
   * @param locale the user's, or the request's `Accept-Language`
   */
  async sendVerification(manager: EntityManager, user: User, locale?: string): Promise<void> {
    if (user.email === null) return;
    const language = user.locale ?? locale;
    const holder = user.emailKey === null ? await this.holder(manager, keyOf(user.email)) : null;
    if (holder) await this.sendExists(manager, holder, language);
    const to = holder?.emailVerifiedAt ? null : user.email;
    await this.sendLink(manager, user, to, 'verify-email', null, language);
  }

  /**
   * Takes an address as shown to be the user's.
   *
   * @throws ApiError link_invalid, code_invalid
   */
  async verify(presented: Presented): Promise<void> {
    await this.redeeming(presented, () =>
      this.tokens.redeem(presented, 'verify-email', async (manager, user) => {
        const email = user.email ?? '';
        await this.claims.claim(manager, user, { email, emailKey: keyOf(email) });
        await this.audit.record(manager, { action: 'email_verified', subjectId: user.id });
      }),
    );
  }

  /** Mails the new address a link and a code, good while password and address stay as they are. */
  async sendChange(manager: EntityManager, user: User, address: Address, locale?: string) {
    const language = user.locale ?? locale;
    const holder = await this.holder(manager, address.emailKey);
    if (holder?.emailVerifiedAt) await this.sendExists(manager, holder, language);
    const to = holder?.emailVerifiedAt ? null : address.email;
    await this.sendLink(manager, user, to, 'change-email', { ...address }, language);
  }

  /**
   * Moves an account to its new address, and tells the old one; a verified one gets a way back.
   *
   * @param locale the request's `Accept-Language`
   * @throws ApiError link_invalid, code_invalid
   */
  async change(presented: Presented, locale?: string): Promise<void> {
    await this.redeeming(presented, () =>
      this.tokens.redeem(presented, 'change-email', async (manager, user, address) => {
        await this.claims.claim(manager, user, address);
        await this.audit.record(manager, { action: 'email_changed', subjectId: user.id });
        // Confirming the address that the account has already only verifies it.
        if (user.email !== address.email) await this.waysBack.afterChange(manager, user, locale);
      }),
    );
  }

  /**
   * Gives an account its old address back. This ends all sessions and the password, which a thief of the
   * account knew, and mails the old address a link to set a new one. Every link and code mailed since ends;
   * an older way back stays. The address that loses the account is told, and gets a way back of its own if
   * it was verified.
   *
   * @throws ApiError link_invalid
   */
  async undoChange(presented: Presented, asking?: Asking): Promise<void> {
    const located = await this.tokens.locate(presented, 'undo-email-change');
    await this.tokens.look(located, 'undo-email-change');
    const passwordHash = unusableHash();
    await this.redeeming(presented, () =>
      this.database.transaction((inside) =>
        this.tokens.redeemIn(
          inside,
          located,
          'undo-email-change',
          async (manager, user, wayBack, createdAt) => {
            const { id: subjectId } = user;
            const { email, emailKey } = wayBack;
            await this.claims.claim(manager, user, { email, emailKey });
            await manager.update(User, { id: subjectId }, { passwordHash });
            await this.events.passwordChanged(manager, subjectId);
            await this.tokens.endSince(manager, subjectId, 'undo-email-change', createdAt);
            const sessions = await this.sessions.endIn(
              manager,
              { userId: subjectId },
              'email_change_undone',
            );
            await this.revocations.revokeTokens(manager, subjectId);
            const details = { undone: true, sessions };
            for (const action of ['email_changed', 'password_changed'] as const) {
              await this.audit.record(manager, { action, subjectId, details });
            }
            const { locale } = asking ?? {};
            if (user.email !== email) {
              await this.waysBack.afterUndo(manager, user, wayBack, locale);
            }
            await this.sendReset(manager, { ...user, email, emailKey, passwordHash }, locale);
          },
        ),
      ),
    );
  }

  /** Mails the holder of an address a link and a code to set a new password. */
  async sendReset(manager: EntityManager, user: User, locale?: string): Promise<void> {
    await this.audit.record(manager, { action: 'password_reset_requested', subjectId: user.id });
    const language = user.locale ?? locale;
    await this.sendLink(manager, user, user.email ?? '', 'reset-password', null, language);
  }

  /**
   * Mails a new link, and the code beside it, for one purpose. `to` is null where somebody else has
   * verified the address: a link is made all the same, and mailed to nobody. It ends the older one, by
   * which who asks could see otherwise that the address is taken.
   */
  private async sendLink<P extends keyof typeof LINK_MAILS>(
    manager: EntityManager,
    user: User,
    to: string | null,
    purpose: P,
    payload: OneTimePayloads[P],
    locale?: string,
  ): Promise<void> {
    const { token, code, expiresIn } = await this.tokens.issue(manager, user, purpose, payload);
    if (to === null) return;
    await this.mail.enqueue(manager, {
      to,
      userId: user.id,
      template: LINK_MAILS[purpose],
      values: { link: this.mail.link(PAGES[purpose], { token }), code },
      validFor: expiresIn,
      locale,
    });
  }

  private sendExists(manager: EntityManager, holder: User, locale?: string | null): Promise<void> {
    return this.mail.enqueue(manager, {
      to: holder.email ?? '',
      userId: holder.id,
      template: 'account-exists',
      values: {},
      locale: holder.locale ?? locale,
    });
  }

  /** Of two accounts that take an address at once, the unique index lets one have it. */
  private async redeeming(presented: Presented, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (violatedUniqueIndex(error) === undefined) throw error;
      throw new ApiError('token' in presented ? 'link_invalid' : 'code_invalid', { cause: error });
    }
  }
}

/** The unique form of an address that was taken before; empty where it would not be taken now. */
function keyOf(email: string): string {
  const prepared = prepareEmail(email);
  return prepared.ok ? prepared.key : '';
}
