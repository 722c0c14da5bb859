import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { Config } from '../config/config.js';
import { chooseLocale } from '../mail/locale.js';
import { PAGE_TEXTS, type PageName } from './page-texts.js';

const read = (file: string): string =>
  readFileSync(
    fileURLToPath(new URL(`../../templates/pages/${file}`, import.meta.url)),
    'utf8',
  ).trim();

/** What a page shows: its form, with what was wrong with the last try if anything, or that it is done. */
export type PageState =
  | { step: 'form'; token: string; problem?: 'later' | { weak: string } }
  | { step: 'done' }
  | { step: 'invalid' };

/**
 * The pages that mailed links lead to: plain HTML without scripts, that ask for a click, since mail
 * scanners follow links. Nothing is looked up to show one.
 */
@Injectable()
export class Pages {
  private readonly eta = new Eta({ autoEscape: true });
  private readonly css = read('page.css');
  private readonly template = read('page.html.eta');
  private readonly service: string;

  constructor(config: Config) {
    this.service = config.mail.from.name || new URL(config.publicUrl).host;
  }

  /**
   * Response headers. The token stands in the page's address, so nothing may be told of it to others
   * (`Referrer-Policy`), framed, fetched from elsewhere, or kept.
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

  /** Whether there is a page of this name. */
  has(name: string): name is PageName {
    return Object.values(PAGE_TEXTS).every(({ pages }) => Object.hasOwn(pages, name));
  }

  /** A page in the language that `accepted` (`Accept-Language`) prefers. */
  render(name: PageName, state: PageState, accepted?: string): string {
    const locale = chooseLocale(accepted, Object.keys(PAGE_TEXTS));
    const language = PAGE_TEXTS[locale];
    if (!language) throw new Error(`There are no texts for ${locale}`);
    const { title, text, button, password, done } = language.pages[name];
    const problem =
      state.step === 'form' &&
      state.problem &&
      (state.problem === 'later' ? language.later : `${language.weak} ${state.problem.weak}`);
    return this.eta.renderString(this.template, {
      locale,
      title,
      service: this.service,
      css: this.css,
      text: { form: text, done, invalid: language.invalid }[state.step],
      problem,
      form: state.step === 'form' && { action: name, token: state.token, button, password },
    });
  }
}
