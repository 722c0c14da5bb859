import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Documents } from '../html/documents.js';
import { Alert } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import { type Language, languageOf } from '../html/language.js';
import { SignInLink } from '../html/sign-in-link.js';
import { PROBLEM_TEXTS } from '../html/problem.texts.js';
import { inWords } from '../mail/mail-templates.js';
import { ApiError } from '../common/api-error.js';
import type { MailedLinkDeclaration, PageDetails } from './declaration.js';
import { MailedLinkForm, MailedLinkResult } from './mailed-link.page.js';
import { MailedLinks } from './mailed-links.js';

/** The state of a page: its form, or a result. */
export type PageState =
  | { step: 'form'; token: string; form: FormState }
  | { step: 'done'; details?: PageDetails }
  | { step: 'invalid' };

/**
 * Renders the pages that mailed links lead to. Mail scanners follow links, so a page makes no change before its
 * button is pressed, and shows no data but the name of the account beside a new password.
 */
@Injectable()
export class Pages {
  constructor(
    private readonly links: MailedLinks,
    private readonly documents: Documents,
    private readonly signIn: SignInLink,
  ) {}

  /** Returns the declaration of the link whose page has this name, if there is one. */
  find(name: string): MailedLinkDeclaration | undefined {
    return this.links.find(name)?.declaration;
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
      return <Alert kind="problem">{of(new ApiError('link_invalid'))}</Alert>;
    }
    if (state.step === 'form') {
      // The address holds the token, so the form leads to the path alone.
      const action = `/account/${link.purpose}`;
      return <MailedLinkForm action={action} texts={texts} token={state.token} form={state.form} />;
    }
    const { details = {} } = state;
    const shown = Object.entries(texts.details ?? {})
      .map(([name, label]) => ({ label, text: textOf(details[name], language) }))
      .filter((detail) => detail.text !== '');
    const next = link.leadsToSignIn ? this.signIn.link : undefined;
    return (
      <MailedLinkResult
        text={texts.done}
        details={shown}
        next={next && { path: next.path, label: next.label[language] }}
      />
    );
  }
}

const textOf = (detail: string | Date = '', language: string): string =>
  typeof detail === 'string' ? detail : inWords(detail, language);
