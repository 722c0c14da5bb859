import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Mail } from '../mail/mail.service.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.service.js';
import type { OneTimePayloads } from '../one-time-tokens/purposes.js';
import type { User } from '../users/user.entity.js';
import { Notices } from './notices.js';
import { PAGES } from './pages.js';

/** What a way back carries. */
type WayBack = OneTimePayloads['undo-email-change'];

/** Why an address is no longer that of an account. */
type Reason = 'address-changed' | 'address-change-undone';

/**
 * How often a change may be taken back and forth. The first address undoes the change (0), the second
 * may answer (1), and the first has the last word (2). Without an end, a thief's script would win.
 */
const LAST_ROUND = 2;

/**
 * Tells an address that an account has left it, and mails a link that brings the account back. The link
 * takes the account, so it goes only to an address that was verified. An unverified one may be a
 * stranger's by a slip of the finger: it gets the notice alone.
 */
@Injectable()
export class WaysBack {
  constructor(
    private readonly mail: Mail,
    private readonly tokens: OneTimeTokens,
    private readonly notices: Notices,
  ) {}

  /** Tells the old address of `user`, who is given as before the change. */
  afterChange(manager: EntityManager, user: User, locale?: string): Promise<void> {
    return this.tell(manager, user, 'address-changed', 0, locale);
  }

  /** Tells the address that `user` loses because `used` brought the account back to another one. */
  afterUndo(manager: EntityManager, user: User, used: WayBack, locale?: string): Promise<void> {
    const round = Number(used.round ?? 0) + 1;
    return this.tell(manager, user, 'address-change-undone', round, locale);
  }

  private async tell(
    manager: EntityManager,
    user: User,
    template: Reason,
    round: number,
    locale?: string,
  ): Promise<void> {
    const { email, emailKey, emailVerifiedAt } = user;
    if (email === null || emailKey === null) return;
    if (emailVerifiedAt === null || round > LAST_ROUND) {
      await this.notices.tell(manager, user, { template, values: { link: '' }, locale });
      return;
    }
    const payload: WayBack = { email, emailKey, ...(round > 0 && { round: String(round) }) };
    const way = await this.tokens.issue(manager, user, 'undo-email-change', payload);
    await this.notices.tell(manager, user, {
      template,
      values: { link: this.mail.link(PAGES['undo-email-change'], { token: way.token }) },
      validFor: way.expiresIn,
      locale,
    });
  }
}
