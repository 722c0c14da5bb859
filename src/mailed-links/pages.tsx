import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { Config } from '../config/config.js';
import { chooseLocale } from '../mail/locale.js';
import { inWords } from '../mail/mail-templates.js';
import type { MailedLinkDeclaration, PageDetails } from './declaration.js';
import { MailedLinks } from './mailed-links.js';
import { type PageLocale, SHARED_TEXTS } from './page-texts.js';

const read = (file: string): string =>
  readFileSync(
    fileURLToPath(new URL(`../../templates/pages/${file}`, import.meta.url)),
    'utf8',
  ).trim();

/** The state of a page: its form, with the problem of the last attempt if there was one, or a result. */
export type PageState =
  | { step: 'form'; token: string; problem?: 'later' | { weak: string } }
  | { step: 'done'; details?: PageDetails }
  | { step: 'invalid' };

const LOCALES = Object.keys(SHARED_TEXTS) as PageLocale[];

/**
 * Renders the pages that mailed links lead to: plain HTML without scripts. Mail scanners follow links, so a
 * page makes no change before its button is pressed, and reads no data to be shown.
 */
@Injectable()
export class Pages {
  private readonly eta = new Eta({ autoEscape: true });
  private readonly css = read('page.css');
  private readonly template = read('page.html.eta');
  private readonly service: string;

  constructor(
    private readonly links: MailedLinks,
    config: Config,
  ) {
    this.service = config.mail.from.name || new URL(config.publicUrl).host;
  }

  /**
   * The response headers. The page's address holds the token, so browsers must not pass the address on
   * (`Referrer-Policy`), show the page in a frame, or load anything from elsewhere.
   */
  get headers(): Record<string, string> {
    const style = createHash('sha256').update(this.css).digest('base64');
    return {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': [
        "default-src 'none'",
        `style-src 'sha256-${style}'`,
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
    };
  }

  /** Returns the declaration of the link whose page has this name, if there is one. */
  find(name: string): MailedLinkDeclaration | undefined {
    return this.links.find(name)?.declaration;
  }

  /** Renders a page in the language that `accepted` (`Accept-Language`) prefers. */
  render(link: MailedLinkDeclaration, state: PageState, accepted?: string): string {
    const locale = chooseLocale(accepted, LOCALES) as PageLocale;
    const { title, text, button, password, done, details = {} } = link.page[locale];
    const shared = SHARED_TEXTS[locale];
    const problem =
      state.step === 'form' &&
      state.problem &&
      (state.problem === 'later' ? shared.later : `${shared.weak} ${state.problem.weak}`);
    const shown = state.step === 'done' ? (state.details ?? {}) : {};
    return this.eta.renderString(this.template, {
      locale,
      title,
      service: this.service,
      css: this.css,
      text: { form: text, done, invalid: shared.invalid }[state.step],
      problem,
      details: Object.entries(details)
        .map(([name, label]) => ({ label, text: textOf(shown[name], locale) }))
        .filter((detail) => detail.text !== ''),
      form: state.step === 'form' && { action: link.purpose, token: state.token, button, password },
    });
  }
}

const textOf = (detail: string | Date = '', locale: string): string =>
  typeof detail === 'string' ? detail : inWords(detail, locale);
