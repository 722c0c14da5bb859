import type { EntityManager } from 'typeorm';
import type { MailValues } from '../mail/mail-templates.js';
import type { User } from '../users/user.entity.js';
import type { Texts } from '../html/language.js';
import type { PageTexts } from './page-texts.js';

/** The rules by which the tokens of one purpose are made and checked. */
export interface TokenRules {
  /** The one name of the flow. A token for another purpose is refused. */
  purpose: string;
  /** Seconds. */
  lifetime: number;
  /** Whether the mail also carries eight digits, which the user may type instead of following the link. */
  code: boolean;
  /** Whether older tokens stay valid when a new one is made; such tokens have no code. */
  keepsOlder?: boolean;
  /** The state that a token depends on: if one of these values changes, the token is no longer valid. */
  guard: (user: User) => (string | null)[];
}

/** The form of a page, and how its request waits for an answer. */
export interface PageForm {
  token: string;
  /** Empty if the page asks for no password. */
  password: string;
  /** The request's `Accept-Language`. */
  locale?: string;
  /** Aborted when the client is gone. */
  signal?: AbortSignal;
}

/** Texts and times that a page shows, by the names of `PageTexts.details`. Empty texts are left out. */
export type PageDetails = Partial<Record<string, string | Date>>;

/** One mailed link, or link and code. */
export interface MailedLinkDeclaration extends TokenRules {
  /** The mail's template, if it does not have the name of the purpose. It gets the values `link` and `code`. */
  mail?: string;
  /**
   * Whether the mail goes to an address that the account does not have yet. A user's export leaves it out, because
   * it would reveal whether another account has the address.
   */
  toNewAddress?: boolean;
  /** The texts of the page that the link leads to, `/account/<purpose>`. */
  page: Texts<PageTexts>;
  /** Whether the user signs in after the change. The page then leads there. */
  leadsToSignIn?: boolean;
  /** A path or URL of your own page, which gets the query `token`. */
  url?: string;
  /** Sends the mail to the account that holds the address of a {@link MailedLink.request}. */
  onRequest?: (
    manager: EntityManager,
    holder: User,
    locale: string,
    values: MailValues,
  ) => Promise<void>;
  /**
   * Returns the name of the account, for a page that asks for a new password: password managers save the two
   * together. The holder of the link can take the account, so the page may tell the name.
   */
  accountName?: (user: User) => string;
  /** Makes the change that the link is for. The page calls it when its form is sent. */
  redeem?: (form: PageForm) => Promise<void>;
  /** Returns what the page shows when its form is sent, for a link that the page does not redeem. */
  show?: (form: PageForm) => Promise<PageDetails>;
}
