import type { Texts } from '../html/language.js';

interface SignInTexts {
  title: string;
  login: string;
  password: string;
  remember: string;
  button: string;
  forgotten: string;
  passkey: string;
  mail: string;
  verification: string;
  or: string;
  noAccount: string;
  register: string;
  signedInTitle: string;
  signedInAs: (name: string) => string;
  goOn: string;
  signOut: string;
  /** The messages that another page leads here with, by the names in the address. */
  done: Record<'signed-out' | 'deleted' | 'check-mail' | 'registered', string>;
}

export const SIGN_IN_TEXTS: Texts<SignInTexts> = {
  en: {
    title: 'Sign in',
    login: 'Name or e-mail address',
    password: 'Password',
    remember: 'Keep me signed in',
    button: 'Sign in',
    forgotten: 'Forgotten your password?',
    passkey: 'Sign in with a passkey',
    mail: 'Mail me a code',
    verification: 'Mail me a new link',
    or: 'or',
    noAccount: 'No account yet?',
    register: 'Register',
    signedInTitle: 'You are signed in',
    signedInAs: (name) => `You are signed in already as ${name}.`,
    goOn: 'Continue',
    signOut: 'Sign out, and use another account',
    done: {
      'signed-out': 'You are signed out.',
      deleted: 'Your account is deleted.',
      'check-mail': 'We have sent you a mail. Follow its link, then sign in.',
      registered: 'Your account is ready. Sign in.',
    },
  },
  de: {
    title: 'Anmelden',
    login: 'Name oder E-Mail-Adresse',
    password: 'Passwort',
    remember: 'Angemeldet bleiben',
    button: 'Anmelden',
    forgotten: 'Passwort vergessen?',
    passkey: 'Mit einem Passkey anmelden',
    mail: 'Code per Mail senden',
    verification: 'Neuen Link senden',
    or: 'oder',
    noAccount: 'Noch kein Konto?',
    register: 'Registrieren',
    signedInTitle: 'Sie sind angemeldet',
    signedInAs: (name) => `Sie sind schon als ${name} angemeldet.`,
    goOn: 'Weiter',
    signOut: 'Abmelden und ein anderes Konto verwenden',
    done: {
      'signed-out': 'Sie sind abgemeldet.',
      deleted: 'Ihr Konto ist gelöscht.',
      'check-mail':
        'Wir haben Ihnen eine Mail gesendet. Folgen Sie ihrem Link, und melden Sie sich dann an.',
      registered: 'Ihr Konto ist bereit. Melden Sie sich an.',
    },
  },
};
