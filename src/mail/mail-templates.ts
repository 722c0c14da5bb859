import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import type { Eta } from 'eta';
import { lazyPackage } from '../common/lazy-package.js';
import { readTextFile } from '../common/text-file.js';
import { Config } from '../config/config.js';

const eta = lazyPackage('eta') as () => typeof import('eta');

/** The texts that a mail shows beside its standing text, by name. */
export type MailValues = Readonly<Record<string, string>>;

/** The texts of one mail. */
export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** The language in which every template exists. */
export const FALLBACK_LOCALE = 'en';

const BUILT_IN = fileURLToPath(new URL('../../templates/mail', import.meta.url));

/**
 * Renders mails from Eta templates: `<language>/<template>.txt` (first line `Subject: …`) and `.html` in
 * `templates/mail`. A file of the same name in the folder `MAIL_TEMPLATES` replaces one, and a folder of another
 * language adds that language. All templates are compiled together: with `MAIL_TEMPLATES` at the start, which fails if
 * one is broken, and otherwise with the first mail.
 */
@Injectable()
export class MailTemplates {
  /** The available languages, the fallback first. */
  readonly locales: readonly string[];
  /** The path of each template, by name. */
  private readonly files: ReadonlyMap<string, string>;
  private engines: Engines | undefined;
  private readonly service: string;

  constructor(config: Config) {
    const { from, templates } = config.mail;
    this.service = from.name || new URL(config.publicUrl).host;
    this.files = new Map([...filesOf(BUILT_IN), ...(templates ? filesOf(templates) : [])]);
    if (templates) this.engines = compile(this.files);
    const folders = [...this.files.keys()].flatMap(
      (name) => /^([a-z]{2,3})\//.exec(name)?.[1] ?? [],
    );
    this.locales = [...new Set([FALLBACK_LOCALE, ...folders.sort()])];
  }

  /** Whether there is a mail of this name, as text and as HTML. */
  has(template: string): boolean {
    return ['txt', 'html'].every((kind) =>
      this.files.has(`${FALLBACK_LOCALE}/${template}.${kind}`),
    );
  }

  /**
   * Renders a mail in `locale`, or in English if the template does not exist in that language. Templates see the
   * values, `service` (the sender's name), `when` and `validFor` (a time in words), as `it.…`.
   *
   * @param times when the mail was written, and for how many seconds its link is valid
   */
  render(
    template: string,
    locale: string,
    values: MailValues,
    times: { writtenAt: Date; validFor: number },
  ): RenderedMail {
    const language = this.files.has(`${locale}/${template}.txt`) ? locale : FALLBACK_LOCALE;
    const data = {
      ...oneLine(values),
      service: this.service,
      locale: language,
      when: inWords(times.writtenAt, language),
      validFor: durationInWords(times.validFor, language),
    };
    const { plain, html } = (this.engines ??= compile(this.files));
    const whole = plain.render(`@${language}/${template}.txt`, data);
    const [, subject, text] = /^Subject: (.+)\r?\n\s*([^]+)$/.exec(whole) ?? [];
    if (subject === undefined || text === undefined) {
      throw new Error(`The mail template ${template}.txt does not begin with "Subject: …"`);
    }
    return { subject, text, html: html.render(`@${language}/${template}.html`, data) };
  }
}

/** The engines for texts and for HTML. */
interface Engines {
  plain: Eta;
  html: Eta;
}

/** Returns the engines with all templates of `files`. @throws Error if one is broken */
function compile(files: ReadonlyMap<string, string>): Engines {
  const { Eta } = eta();
  const plain = new Eta({ autoEscape: false, autoTrim: false });
  const html = new Eta({ autoEscape: true });
  for (const [name, path] of files) {
    const engine = name.endsWith('.html') ? html : plain;
    try {
      engine.loadTemplate(`@${name}`, readTextFile(path));
    } catch (cause) {
      throw new Error(`The mail template ${path} cannot be read`, { cause });
    }
  }
  return { plain, html };
}

/** Returns the templates in `folder`, by name, such as `en/verify-email.txt`. */
function filesOf(folder: string): [name: string, path: string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(txt|html)\.eta$/.test(file))
    .map((file) => [file.split(sep).join('/').slice(0, -'.eta'.length), join(folder, file)]);
}

/** Returns the values without line breaks and other controls, by which a user could add text to the mail. */
function oneLine(values: MailValues): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' '),
    ]),
  );
}

/** Returns a time in words, in UTC. */
function inWords(time: Date, locale: string): string {
  const format = { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' } as const;
  return `${time.toLocaleString(locale, format)} UTC`;
}

/** Returns `30 minutes`, `24 hours` or `7 Tage`: the largest unit without a remainder, days from two on. */
function durationInWords(seconds: number, locale: string): string {
  const units = { day: 86_400, hour: 3_600, minute: 60 } as const;
  const fits = (size: number): boolean => seconds % size === 0 && seconds >= size;
  const unit =
    fits(units.day) && seconds > units.day ? 'day' : fits(units.hour) ? 'hour' : 'minute';
  const count = Math.max(1, Math.floor(seconds / units[unit]));
  return count.toLocaleString(locale, { style: 'unit', unit, unitDisplay: 'long' });
}
