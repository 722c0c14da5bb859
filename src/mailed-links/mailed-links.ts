import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { MailService } from '../mail/mail.service.js';
import { prepareEmail } from '../users/email.js';
import { lockHolder } from '../users/lock-user.js';
import { UsersService } from '../users/users.service.js';
import type { MailedLinkDeclaration } from './declaration.js';
import type { LinkOrCode, LinkOrCodeBody } from './link-or-code.js';
import { MailedLink } from './mailed-link.js';
import { OneTimeTokensService } from './one-time-tokens.service.js';

/** The mailed links of all rooms: each room declares its own, by its purpose, when it is constructed. */
@Injectable()
export class MailedLinks {
  private readonly links = new Map<string, MailedLink<object | null>>();

  constructor(
    private readonly tokens: OneTimeTokensService,
    private readonly mail: MailService,
    private readonly database: Database,
    private readonly users: UsersService,
  ) {}

  /**
   * Makes a mailed link known: its tokens, its mail, and its page at `/account/<purpose>`. `P` is the
   * payload of a link, an object of texts.
   *
   * @throws Error if the purpose is taken, or if its mail has no template
   */
  declare<P extends object | null = null>(declaration: MailedLinkDeclaration): MailedLink<P> {
    const { purpose, mail = purpose } = declaration;
    if (this.links.has(purpose)) throw new Error(`The mailed link "${purpose}" is declared twice`);
    this.mail.expectTemplate(mail);
    if (declaration.toNewAddress) this.mail.leaveOutOfExport(mail);
    const link = new MailedLink<P>(declaration, this.tokens, this.mail, this.database);
    this.links.set(purpose, link);
    this.answerRequests(declaration);
    return link;
  }

  /** Returns the link of this purpose, if one is declared. */
  find(purpose: string): MailedLink<object | null> | undefined {
    return this.links.get(purpose);
  }

  /** Returns the link or code of a request's body, with the account that the body names for a code. */
  async read({ token, username, code }: LinkOrCodeBody): Promise<LinkOrCode> {
    if (token !== undefined) return { token };
    return { userId: await this.users.findIdByLogin(username ?? ''), code: code ?? '' };
  }

  /**
   * Answers requests with a mail to the address as its owner typed it. The request may spell it differently, and
   * two addresses with one unique form may be two mailboxes.
   */
  private answerRequests({ purpose, onRequest }: MailedLinkDeclaration): void {
    if (!onRequest) return;
    this.mail.answerRequests(purpose, async (manager, { to, locale, values }) => {
      const prepared = prepareEmail(to);
      const holder = prepared.ok && (await lockHolder(manager, prepared.key));
      if (holder) await onRequest(manager, holder, locale, values);
    });
  }
}
