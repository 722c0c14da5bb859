import { readdirSync } from 'node:fs';
import { Config } from '../config/config.js';
import { MailTemplates, type MailValues } from './mail-templates.js';

const LURE = `<b>O'Brien & "co"</b>`;
const ESCAPED = '&lt;b&gt;O&#39;Brien &amp; &quot;co&quot;&lt;/b&gt;';
const LINK = 'https://accounts.example.com/account/page?token=abc';
const CODE = '01234567';
const TIMES = { writtenAt: new Date('2030-01-02T03:04:05Z'), validFor: 1_800 };

/** The values of each mail. */
const VALUES: Record<string, MailValues> = {
  'verify-email': { link: LINK, code: CODE },
  'confirm-email': { link: LINK, code: CODE },
  'address-changed': { username: LURE, link: LINK },
  'address-change-undone': { username: LURE, link: LINK },
  'reset-password': { link: LINK, code: CODE },
  'password-changed': { username: LURE },
  'password-removed': { username: LURE },
  'sign-in': { link: LINK, code: CODE, device: 'Chrome, Android', address: '203.0.113.7' },
  'account-exists': {},
  'registered-again': { link: LINK, code: CODE },
  'address-lost': {},
  'account-updated': { username: LURE },
  'factor-added': { username: LURE, factor: 'My phone' },
  'factor-renamed': { username: LURE, factor: LURE },
  'factor-removed': { username: LURE, factor: 'My phone' },
  'factors-reset': { username: LURE },
  'recovery-codes-made': { username: LURE },
  'recovery-code-used': { username: LURE, left: '9' },
  'account-exported': { username: LURE },
  'account-deleted': { username: LURE },
  'passkey-copied': { username: LURE },
};
const NAMES = Object.keys(VALUES);
const valuesOf = (name: string): MailValues => VALUES[name] ?? {};

const templates = new MailTemplates(
  Config.load({
    JWT_SECRET_KEY: '0123456789abcdefghijklmnopqrstuvwxyz',
    MAIL_FROM: 'Cats & Co <no-reply@example.com>',
  }),
);

it('has every mail in English and German, as text and HTML, and no other', () => {
  expect(templates.locales).toEqual(['en', 'de']);
  const wanted = NAMES.flatMap((name) => [`${name}.html.eta`, `${name}.txt.eta`]).sort();
  for (const locale of templates.locales) {
    expect(readdirSync(`templates/mail/${locale}`).sort()).toEqual(wanted);
  }
});

describe.each(['en', 'de'])('in %s', (locale) => {
  it.each(NAMES)('%s is whole, and escapes what is put into it', (name) => {
    const values: Partial<MailValues> = valuesOf(name);
    const { subject, text, html } = templates.render(name, locale, valuesOf(name), TIMES);
    expect(subject).toMatch(/^\S.*\S$/);
    for (const part of [subject, text, html]) {
      expect(part).not.toMatch(/undefined|null|NaN|\[object|<%|%>|\bit\./);
    }
    expect(text).toContain('Cats & Co');
    expect(html).toContain('Cats &amp; Co');
    expect(html).toContain(`<html lang="${locale}">`);
    expect(html).not.toContain('<b>');
    for (const value of Object.values(valuesOf(name))) expect(text).toContain(value);
    if (values.username !== undefined) expect(html).toContain(ESCAPED);
    if (values.link !== undefined) expect(html).toContain(`href="${LINK}"`);
    if (values.code !== undefined) expect(html).toContain(CODE);
  });

  it.each(['address-changed', 'address-change-undone'] as const)(
    '%s names no link if there is none',
    (name) => {
      const values = { username: 'ada', link: '' };
      const { text, html } = templates.render(name, locale, values, TIMES);
      for (const part of [text, html]) expect(part).not.toMatch(/https?:|href|undefined|7 |days/);
      expect(text).toContain('ada');
    },
  );

  it('warns of the last recovery codes', () => {
    const warned = ['4', '3', '0'].map((left) => {
      const values = { username: 'ada', left };
      const { text, html } = templates.render('recovery-code-used', locale, values, TIMES);
      return [text, html].map((part) => /Make new codes soon|neue Codes/.test(part));
    });
    expect(warned).toEqual([
      [false, false],
      [true, true],
      [true, true],
    ]);
  });

  it.each(NAMES.filter((name) => 'username' in valuesOf(name)))(
    '%s is whole without a name',
    (name) => {
      const { text, html } = templates.render(
        name,
        locale,
        { ...valuesOf(name), username: '' },
        TIMES,
      );
      for (const part of [text, html]) {
        expect(part).toMatch(
          /(an account with this address at|eine?s? Kontos? mit dieser Adresse bei)/i,
        );
        expect(part).not.toContain('undefined');
      }
    },
  );
});
