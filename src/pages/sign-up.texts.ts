import type { Texts } from '../html/language.js';

interface SignUpTexts {
  title: string;
  username: string;
  usernameHint: string;
  email: string;
  emailOptional: string;
  password: string;
  passwordHint: (characters: number) => string;
  button: string;
  hasAccount: string;
  signIn: string;
  /** The sentence around the link to the terms. */
  terms: string;
  termsLink: string;
  termsEnd: string;
}

export const SIGN_UP_TEXTS: Texts<SignUpTexts> = {
  en: {
    title: 'Register',
    username: 'Name',
    usernameHint: 'Other people may see it.',
    email: 'E-mail address',
    emailOptional: 'E-mail address (optional)',
    password: 'Password',
    passwordHint: (characters) =>
      `At least ${characters} characters. Some words that you can remember are better than one odd word.`,
    button: 'Register',
    hasAccount: 'Already have an account?',
    signIn: 'Sign in',
    terms: 'If you register, you agree to our',
    termsLink: 'terms of use',
    termsEnd: '.',
  },
  de: {
    title: 'Registrieren',
    username: 'Name',
    usernameHint: 'Andere können ihn sehen.',
    email: 'E-Mail-Adresse',
    emailOptional: 'E-Mail-Adresse (freiwillig)',
    password: 'Passwort',
    passwordHint: (characters) =>
      `Mindestens ${characters} Zeichen. Mehrere Wörter, die Sie sich merken, sind besser als ein seltsames.`,
    button: 'Registrieren',
    hasAccount: 'Schon ein Konto?',
    signIn: 'Anmelden',
    terms: 'Mit der Registrierung stimmen Sie unseren',
    termsLink: 'Nutzungsbedingungen',
    termsEnd: ' zu.',
  },
};
