import type { Texts } from '../html/language.js';

interface ForgotPasswordTexts {
  title: string;
  text: string;
  email: string;
  button: string;
  sent: string;
  back: string;
}

export const FORGOT_PASSWORD_TEXTS: Texts<ForgotPasswordTexts> = {
  en: {
    title: 'Forgotten your password?',
    text: 'We mail you a link to set a new password.',
    email: 'E-mail address',
    button: 'Send the link',
    sent: 'If an account has this address, a mail is on its way. Its link is good for 30 minutes.',
    back: 'Back to the sign-in',
  },
  de: {
    title: 'Passwort vergessen?',
    text: 'Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort setzen.',
    email: 'E-Mail-Adresse',
    button: 'Link senden',
    sent: 'Wenn ein Konto diese Adresse hat, ist eine Mail unterwegs. Ihr Link gilt 30 Minuten.',
    back: 'Zurück zur Anmeldung',
  },
};
