import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { Notices } from '../mail/notices.js';
import type { LinkOrCode } from '../mailed-links/link-or-code.js';
import type { MailedLink } from '../mailed-links/mailed-link.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import { unusableHash } from '../passwords/stored-hash.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { SecondFactors } from '../users/second-factors.js';
import { UserChangesService } from '../users/user-changes.service.js';
import type { User } from '../users/user.entity.js';
import { refuseConflict } from './address-conflict.js';
import { UNDO_EMAIL_CHANGE } from './page-texts.js';
import { PasswordResetService } from './password-reset.service.js';

const LIFETIME = 7 * 86_400;

/**
 * How often a change may go back and forth. The first address undoes the change (0), the second may answer (1),
 * and the first has the last word (2). Without a limit, a thief's script would win.
 */
const LAST_ROUND = 2;

/**
 * How long before the change an undo still removes second factors, in milliseconds. A thief of a session enrols a
 * passkey first, and then moves the account.
 */
const DOUBTFUL = 86_400_000;

/** The address that a link restores, and how many undone changes came before (left out the first time). */
interface Undo {
  email: string;
  emailKey: string;
  round?: string;
}

/**
 * Tells an address that its account moved to another one, and mails a link that brings the account back. The
 * link takes over the account, so only a verified address gets it. An unverified address may be a typing mistake
 * and belong to a stranger, so it gets the notice alone.
 */
@Injectable()
export class EmailChangeUndoService {
  private readonly link: MailedLink<Undo>;

  constructor(
    private readonly notices: Notices,
    private readonly claims: AddressClaimsService,
    private readonly resets: PasswordResetService,
    private readonly userChanges: UserChangesService,
    private readonly factors: SecondFactors,
    links: MailedLinks,
  ) {
    this.link = links.declare({
      purpose: 'undo-email-change',
      lifetime: LIFETIME,
      code: false,
      // A thief who took the account over changes password and address again. Neither ends the owner's link, nor
      // does a newer link, which goes to the thief. The owner's link is older, and its use ends the thief's.
      keepsOlder: true,
      guard: () => [],
      mail: 'address-changed',
      page: UNDO_EMAIL_CHANGE,
      redeem: ({ token, locale }) => this.undo({ token }, locale),
    });
  }

  /** Tells the old address of `user`, who is given as before the change. */
  offerAfterChange(manager: EntityManager, user: User, locale?: string): Promise<void> {
    return this.offer(manager, user, { template: 'address-changed', round: 0, locale });
  }

  /**
   * Gives an account its old address back. Ends all sessions and the password, which a thief of the account knows,
   * and mails the old address a link to set a new password. Second factors from the day before the change or later
   * end too, because a thief could sign in by them; older ones stay, and all of them if the second address answers.
   * All newer links end; an older link of this kind stays valid. The address that loses the account is told, and
   * gets a link of its own if it was verified.
   *
   * @param locale the request's `Accept-Language`
   * @throws ApiError link_invalid, code_invalid
   */
  async undo(given: LinkOrCode, locale?: string): Promise<void> {
    const passwordHash = unusableHash();
    await refuseConflict(given, () =>
      this.link.redeem(given, async (manager, { user, payload, createdAt }) => {
        const { email, emailKey, round } = payload;
        await this.claims.claim(manager, user, { email, emailKey }, 'undone');
        const cause = 'email_change_undone';
        await this.userChanges.setPassword(manager, user, passwordHash, { cause });
        const owner = { ...user, email, emailKey, emailVerifiedAt: clock.date(), passwordHash };
        // The address that lost the account may be the thief's. Its answer must not remove the owner's new factors.
        if (Number(round ?? 0) % 2 === 0) {
          const since = new Date(createdAt.getTime() - DOUBTFUL);
          await this.factors.reset(manager, owner, { since });
        }
        await this.link.endSince(manager, user.id, createdAt);
        if (user.email !== email) {
          const next = { template: 'address-change-undone', round: Number(round ?? 0) + 1, locale };
          await this.offer(manager, user, next);
        }
        await this.resets.send(manager, owner, locale);
      }),
    );
  }

  /** Tells the address that `user` had so far, and offers it the link if it may have one. */
  private async offer(
    manager: EntityManager,
    user: User,
    { template, round, locale }: { template: string; round: number; locale?: string },
  ): Promise<void> {
    const { email, emailKey, emailVerifiedAt } = user;
    if (email === null || emailKey === null) return;
    if (emailVerifiedAt === null || round > LAST_ROUND) {
      await this.notices.tell(manager, user, { template, values: { link: '' }, locale });
      return;
    }
    const payload: Undo = { email, emailKey, ...(round > 0 && { round: String(round) }) };
    const { link } = await this.link.issue(manager, user, payload);
    const values = { link };
    await this.notices.tell(manager, user, { template, values, validFor: LIFETIME, locale });
  }
}
