import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { readTextFile } from '../common/text-file.js';
import { Config } from '../config/config.js';

/** A link and, in the same mail, the eight digits that can be typed instead. */
interface LinkAndCode {
  link: string;
  code: string;
}

/**
 * Every mail there is, and what it says beside its standing text. A `username` is empty where nobody has
 * verified the address: it may be a stranger's, and the name is for its user to choose.
 */
export interface MailValues {
  /** To an address that nobody has confirmed: nothing in it is a stranger's to choose. */
  'verify-email': LinkAndCode;
  /** To the new address of an account, unconfirmed as well. */
  'confirm-new-address': LinkAndCode;
  /** To the address that an account had so far; `link` undoes the change, and is empty if it may not. */
  'address-changed': { username: string; link: string };
  /** To the address that an account loses as its former one took it back; `link` as above. */
  'address-change-undone': { username: string; link: string };
  'reset-password': LinkAndCode;
  'password-changed': { username: string };
  /** To the owner of an address that somebody tried to register again. */
  'account-exists': Record<string, never>;
  /** To an unverified address that its account lost to a user who proved to own it. */
  'address-lost': Record<string, never>;
  'account-updated': { username: string };
  'account-exported': { username: string };
  'account-deleted': { username: string };
}

export type MailTemplate = keyof MailValues;

/** What a mail says. */
export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** The language that every template is in. */
export const FALLBACK_LOCALE = 'en';

const BUILT_IN = fileURLToPath(new URL('../../templates/mail', import.meta.url));

/**
 * The texts of mails, by Eta: `<language>/<template>.txt` (first line `Subject: …`) and `.html`, which
 * stand in `templates/mail` or, by file, in the folder `MAIL_TEMPLATES`. A folder of another language
 * adds it. All are read and compiled at the start, which a broken one stops.
 */
@Injectable()
export class MailTemplates {
  /** The languages there are, the fallback first. */
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

  /**
   * A mail in `locale`, or in English where it is not there in that one. Templates see the values,
   * `service` (the sender's name), `when` and `validFor` (a time in words), as `it.…`.
   *
   * @param times when it was written, and for how many seconds its link is good
   */
  render<T extends MailTemplate>(
    template: T,
    locale: string,
    values: MailValues[T],
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

/** The templates in `folder`, by name, such as `en/verify-email.txt`. */
function filesOf(folder: string): [name: string, path: string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(txt|html)\.eta$/.test(file))
    .map((file) => [file.split(sep).join('/').slice(0, -'.eta'.length), join(folder, file)]);
}

/** Values without line breaks and other controls, with which one could write on in the mail. */
function oneLine(values: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      String(value).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' '),
    ]),
  );
}

function inWords(time: Date, locale: string): string {
  const format = { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' } as const;
  return `${time.toLocaleString(locale, format)} UTC`;
}

/** `30 minutes`, `24 hours`, `7 Tage`: the largest unit that leaves no remainder, days from two on. */
function durationInWords(seconds: number, locale: string): string {
  const units = { day: 86_400, hour: 3_600, minute: 60 } as const;
  const fits = (size: number): boolean => seconds % size === 0 && seconds >= size;
  const unit =
    fits(units.day) && seconds > units.day ? 'day' : fits(units.hour) ? 'hour' : 'minute';
  const count = Math.max(1, Math.floor(seconds / units[unit]));
  return count.toLocaleString(locale, { style: 'unit', unit, unitDisplay: 'long' });
}
