import type { EntityManager } from 'typeorm';
import type { Database } from '../database/database.js';
import type { MailValues } from '../mail/mail-templates.js';
import type { MailService } from '../mail/mail.service.js';
import type { User } from '../users/user.entity.js';
import type { MailedLinkDeclaration } from './declaration.js';
import type { LinkOrCode } from './link-or-code.js';
import type { OneTimeTokensService, TokenKey, UsedToken } from './one-time-tokens.service.js';

/** How a link is mailed. */
interface Sending<P> {
  /** The recipient. If it is null, a link is made and ends the older one, but no mail is sent. */
  to: string | null;
  payload: P;
  /** The request's `Accept-Language`; the user's own locale takes precedence. */
  locale?: string;
  /** The mail's template, if it is not the usual one. */
  mail?: string;
  /** More values for the template, beside `link` and `code`. */
  values?: MailValues;
}

/** A link that was made. */
interface IssuedLink {
  link: string;
  /** Eight digits; empty if the purpose has no code. */
  code: string;
  /** The key of the token, see {@link MailedLink.redeemIn}. */
  tokenHash: string;
}

/** A token that was found valid, and its user. */
export interface CheckedLink extends TokenKey {
  user: User;
}

/** A link that was just used, its user (locked), and its payload. */
export interface RedeemedLink<P> extends Omit<UsedToken, 'payload'> {
  payload: P;
}

/**
 * The links of one declaration. `P` is the payload of a link: an object of texts, or null.
 * `MailedLinks.declare` makes one.
 */
export class MailedLink<P extends object | null = null> {
  constructor(
    readonly declaration: MailedLinkDeclaration,
    private readonly tokens: OneTimeTokensService,
    private readonly mail: MailService,
    private readonly database: Database,
  ) {}

  /** Makes a link for `user` and stores its mail, in the transaction of `manager`. */
  async send(manager: EntityManager, user: User, sending: Sending<P>): Promise<IssuedLink> {
    const issued = await this.issue(manager, user, sending.payload);
    if (sending.to === null) return issued;
    const { link, code } = issued;
    const { mail, purpose, lifetime } = this.declaration;
    await this.mail.enqueue(manager, {
      to: sending.to,
      userId: user.id,
      template: sending.mail ?? mail ?? purpose,
      values: { link, code, ...sending.values },
      validFor: lifetime,
      locale: user.locale ?? sending.locale,
    });
    return issued;
  }

  /**
   * Stores a request for a mail to an address. The row is the same for every address, and the account is looked
   * up after the answer, so neither the answer nor its time reveals whether there is one.
   */
  request(email: string, locale?: string): Promise<void> {
    return this.database.write((manager) => this.requestIn(manager, email, { locale }));
  }

  /** Stores such a request in the transaction of `manager`. `onRequest` gets the `values`. */
  requestIn(
    manager: EntityManager,
    to: string,
    more: { locale?: string; values?: MailValues },
  ): Promise<void> {
    return this.mail.request(manager, this.declaration.purpose, { to, ...more });
  }

  /** Makes a link for `user`, to be mailed by the caller. */
  async issue(manager: EntityManager, user: User, payload: P): Promise<IssuedLink> {
    const { purpose, url = `/account/${purpose}` } = this.declaration;
    const made = await this.tokens.issue(manager, user, this.declaration, payload);
    const { token, tokenHash, code } = made;
    return { link: this.mail.link(url, { token }), code, tokenHash };
  }

  /**
   * Finds the user of a link or code that is still valid, and does not use it. Call it once for each request,
   * because it counts an attempt at a code, and outside of any transaction.
   *
   * @throws ApiError link_invalid, code_invalid
   */
  async check(given: LinkOrCode): Promise<CheckedLink> {
    const key = await this.tokens.keyOf(given, this.declaration);
    return { ...key, user: await this.tokens.userOf(key, this.declaration) };
  }

  /** Finds the user of a token that is still valid, and does not use it. @throws ApiError link_invalid */
  async userOf(token: string): Promise<User> {
    return (await this.check({ token })).user;
  }

  /**
   * Uses a link or code and does `work`, in one transaction. Of many requests at once, one succeeds. If `work`
   * fails, the link stays valid.
   *
   * @throws ApiError link_invalid, code_invalid: the same whatever is wrong with it
   */
  async redeem<T>(
    given: LinkOrCode,
    work: (manager: EntityManager, redeemed: RedeemedLink<P>) => Promise<T>,
  ): Promise<T> {
    const key = await this.tokens.keyOf(given, this.declaration);
    return this.database.transaction(async (manager) =>
      work(manager, await this.redeemIn(manager, key)),
    );
  }

  /** Uses a checked link in the transaction of `manager`, which has to be rolled back if this throws. */
  async redeemIn(manager: EntityManager, checked: TokenKey): Promise<RedeemedLink<P>> {
    const used = await this.tokens.use(manager, checked, this.declaration);
    // A purpose stores only payloads of its own type.
    return { ...used, payload: used.payload as P };
  }

  /** Ends all unused links of a user, of every purpose, except those of this one made before `createdAt`. */
  endSince(manager: EntityManager, userId: string, createdAt: Date): Promise<void> {
    return this.tokens.endSince(manager, userId, this.declaration.purpose, createdAt);
  }
}
