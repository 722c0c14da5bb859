import type { Texts } from '../html/language.js';

/** The texts of a page that asks for a mail. */
export interface MailRequestTexts {
  title: string;
  text: string;
  email: string;
  button: string;
  sent: string;
  back: string;
}

const [EN, DE] = [
  { email: 'E-mail address', button: 'Send the link', back: 'Back to sign-in' },
  { email: 'E-Mail-Adresse', button: 'Link senden', back: 'Zurück zur Anmeldung' },
];

export const FORGOT_PASSWORD_TEXTS: Texts<MailRequestTexts> = {
  en: {
    ...EN,
    title: 'Forgotten your password?',
    text: 'We mail you a link to set a new password.',
    sent: 'If an account has this address, a mail is on its way. Its link is good for 30 minutes.',
  },
  de: {
    ...DE,
    title: 'Passwort vergessen?',
    text: 'Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort setzen.',
    sent: 'Wenn ein Konto diese Adresse hat, ist eine Mail unterwegs. Ihr Link gilt 30 Minuten.',
  },
};

export const VERIFICATION_TEXTS: Texts<MailRequestTexts> = {
  en: {
    ...EN,
    title: 'Verify your e-mail address',
    text: 'We mail you a new link to verify the address of your account.',
    sent: 'If an account has this address and did not verify it, a mail is on its way. Its link is good for one day.',
  },
  de: {
    ...DE,
    title: 'E-Mail-Adresse bestätigen',
    text: 'Wir senden Ihnen einen neuen Link, mit dem Sie die Adresse Ihres Kontos bestätigen.',
    sent: 'Wenn ein Konto diese Adresse noch nicht bestätigt hat, ist eine Mail unterwegs. Ihr Link gilt einen Tag.',
  },
};
