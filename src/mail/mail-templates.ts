import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { readTextFile } from '../common/text-file.js';
import { Config } from '../config/config.js';

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
 * language adds that language. All templates are compiled at the start, which fails if one is broken.
 */
@Injectable()
export class MailTemplates {
  /** The available languages, the fallback first. */
  readonly locales: readonly string[];
  private readonly names: ReadonlySet<string>;
  private readonly plain = new Eta({ autoEscape: false, autoTrim: false });
  private readonly html = new Eta({ autoEscape: true });
  private readonly service: string;

  constructor(config: Config) {
    const { from, templates } = config.mail;
    this.service = from.name || new URL(config.publicUrl).host;
    const files = new Map([...filesOf(BUILT_IN), ...(templates ? filesOf(templates) : [])]);
    for (const [name, path] of files) {
      const engine = name.endsWith('.html') ? this.html : this.plain;
      try {
        engine.loadTemplate(`@${name}`, readTextFile(path));
      } catch (cause) {
        throw new Error(`The mail template ${path} cannot be read`, { cause });
      }
    }
    this.names = new Set(files.keys());
    const folders = [...this.names].flatMap((name) => /^([a-z]{2,3})\//.exec(name)?.[1] ?? []);
    this.locales = [...new Set([FALLBACK_LOCALE, ...folders.sort()])];
  }

  /** Whether there is a mail of this name, as text and as HTML. */
  has(template: string): boolean {
    return ['txt', 'html'].every((kind) =>
      this.names.has(`${FALLBACK_LOCALE}/${template}.${kind}`),
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
    const language = this.names.has(`${locale}/${template}.txt`) ? locale : FALLBACK_LOCALE;
    const data = {
      ...oneLine(values),
      service: this.service,
      locale: language,
      when: inWords(times.writtenAt, language),
      validFor: durationInWords(times.validFor, language),
    };
    const whole = this.plain.render(`@${language}/${template}.txt`, data);
    const [, subject, text] = /^Subject: (.+)\r?\n\s*([^]+)$/.exec(whole) ?? [];
    if (subject === undefined || text === undefined) {
      throw new Error(`The mail template ${template}.txt does not begin with "Subject: …"`);
    }
    return { subject, text, html: this.html.render(`@${language}/${template}.html`, data) };
  }
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
export function inWords(time: Date, locale: string): string {
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
