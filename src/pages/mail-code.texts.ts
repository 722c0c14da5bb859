import type { Texts } from '../html/language.js';

interface MailCodeTexts {
  title: string;
  text: string;
  email: string;
  button: string;
  codeTitle: string;
  sent: (address: string) => string;
  code: string;
  codeHint: string;
  confirm: string;
  again: string;
  back: string;
}

export const MAIL_CODE_TEXTS: Texts<MailCodeTexts> = {
  en: {
    title: 'Sign in by mail',
    text: 'We mail you a code to sign in with, instead of a password.',
    email: 'E-mail address',
    button: 'Mail me a code',
    codeTitle: 'Enter the code',
    sent: (address) =>
      `If an account has the address ${address}, a mail with a code is on its way. Keep this page open.`,
    code: 'Code',
    codeHint: 'Eight digits, good for 10 minutes.',
    confirm: 'Sign in',
    again: 'Mail me a new code',
    back: 'Sign in another way',
  },
  de: {
    title: 'Per Mail anmelden',
    text: 'Wir senden Ihnen einen Code, mit dem Sie sich ohne Passwort anmelden.',
    email: 'E-Mail-Adresse',
    button: 'Code per Mail senden',
    codeTitle: 'Code eingeben',
    sent: (address) =>
      `Wenn ein Konto die Adresse ${address} hat, ist eine Mail mit einem Code unterwegs. Lassen Sie diese Seite offen.`,
    code: 'Code',
    codeHint: 'Acht Ziffern, 10 Minuten gültig.',
    confirm: 'Anmelden',
    again: 'Neuen Code senden',
    back: 'Anders anmelden',
  },
};
