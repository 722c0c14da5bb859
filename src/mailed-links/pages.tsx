import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ComponentChildren } from 'preact';
import { Documents } from '../html/documents.js';
import { ApiError } from '../common/api-error.js';
import { reasonUnavailable } from '../common/unavailable.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { HTML_TEXTS } from '../html/html.texts.js';
import { type Language, languageOf } from '../html/language.js';
import { PageLinks } from '../html/page-links.js';
import { PROBLEM_TEXTS } from '../html/problem.texts.js';
import { Time } from '../html/time.js';
import type { MailedLinkDeclaration, PageDetails } from './declaration.js';
import {
  InvalidLink,
  MailedLinkForm,
  MailedLinkResult,
  type NextPage,
} from './mailed-link.page.js';
import { MailedLinks } from './mailed-links.js';

/** The state of a page: its form, or a result. */
export type PageState =
  | { step: 'form'; token: string; form: FormState }
  | { step: 'done'; details?: PageDetails }
  | { step: 'invalid' };

/**
 * Renders the pages that mailed links lead to. Mail scanners follow links, so a page makes no change before its
 * button is pressed, and shows no data but the name of the account beside a new password. It says at once if its
 * link is no longer valid. The token has 256 bits, so the page cannot be used to find accounts.
 */
@Injectable()
export class Pages {
  constructor(
    private readonly links: MailedLinks,
    private readonly documents: Documents,
    private readonly pageLinks: PageLinks,
  ) {}

  /** Returns the declaration of the link whose page has this name, if there is one. */
  find(name: string): MailedLinkDeclaration | undefined {
    return this.links.find(name)?.declaration;
  }

  /** Returns the state in which a page opens. The token stays valid. */
  async open(link: MailedLinkDeclaration, token: string): Promise<PageState> {
    if (token === '') return { step: 'invalid' };
    try {
      const user = await this.links.find(link.purpose)?.userOf(token);
      const username = user && link.accountName?.(user);
      return { step: 'form', token, form: freshForm(username === undefined ? {} : { username }) };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'link_invalid') return { step: 'invalid' };
      // Without the database the link cannot be checked. The form says so when it is sent.
      if (reasonUnavailable(error) === undefined) throw error;
      return { step: 'form', token, form: freshForm() };
    }
  }

  /** Renders a page in the language that `accepted` (`Accept-Language`) prefers. */
  render(
    reply: FastifyReply,
    link: MailedLinkDeclaration,
    state: PageState,
    accepted?: string,
  ): string {
    const language = languageOf(accepted);
    const texts = link.page[language];
    const asksPassword = state.step === 'form' && texts.password !== undefined;
    const scripts = asksPassword ? this.documents.newPasswordScripts : [];
    const frame = { language, title: texts.title, scripts };
    return this.documents.render(reply, frame, this.contentOf(link, state, language), true);
  }

  private contentOf(link: MailedLinkDeclaration, state: PageState, language: Language) {
    const texts = link.page[language];
    if (state.step === 'invalid') {
      const { of } = PROBLEM_TEXTS[language];
      const next = this.afterInvalid(link.purpose, language);
      return <InvalidLink text={of(new ApiError('link_invalid'))} next={next} />;
    }
    if (state.step === 'form') {
      // The address holds the token, so the form leads to the path alone.
      const action = `/account/${link.purpose}`;
      return <MailedLinkForm action={action} texts={texts} token={state.token} form={state.form} />;
    }
    const { details = {} } = state;
    const shown = Object.entries(texts.details ?? {})
      .map(([name, label]) => ({ name, label, shown: shownOf(details[name], language) }))
      .filter((detail) => detail.shown !== '');
    const next = link.leadsToSignIn ? this.toSignIn(language) : undefined;
    return <MailedLinkResult text={texts.done} details={shown} next={next} />;
  }

  /** Returns the page to ask for a new link, or else the one to sign in; undefined if there is neither. */
  private afterInvalid(purpose: string, language: Language): NextPage | undefined {
    const path = this.pageLinks.newLinks.get(purpose);
    if (path === undefined) return this.toSignIn(language);
    return { path, label: HTML_TEXTS[language].newLink };
  }

  private toSignIn(language: Language): NextPage | undefined {
    const { signIn } = this.pageLinks;
    return signIn && { path: signIn.path, label: signIn.label[language] };
  }
}

const shownOf = (detail: string | Date = '', language: Language): ComponentChildren =>
  typeof detail === 'string' ? detail : <Time at={detail} language={language} />;
