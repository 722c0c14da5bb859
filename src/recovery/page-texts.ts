import type { Texts } from '../html/language.js';
import type { PageTexts } from '../mailed-links/page-texts.js';

type Page = Texts<PageTexts>;

/** The page that verifies an address. */
export const VERIFY_EMAIL: Page = {
  en: {
    title: 'Confirm your e-mail address',
    text: 'Confirm that this address is yours and that you gave it for an account.',
    button: 'Confirm the address',
    done: 'Your address is confirmed. You can close this page.',
  },
  de: {
    title: 'E-Mail-Adresse bestätigen',
    text: 'Bestätigen Sie, dass diese Adresse Ihnen gehört und Sie sie für ein Konto angegeben haben.',
    button: 'Adresse bestätigen',
    done: 'Ihre Adresse ist bestätigt. Sie können diese Seite schließen.',
  },
};

/** The page that moves an account to a new address. */
export const CONFIRM_EMAIL: Page = {
  en: {
    title: 'Confirm your new e-mail address',
    text: 'Confirm that this address is yours and that you want to use it for your account.',
    button: 'Use this address',
    done: 'Your account has its new address. You can close this page.',
  },
  de: {
    title: 'Neue E-Mail-Adresse bestätigen',
    text: 'Bestätigen Sie, dass diese Adresse Ihnen gehört und Sie sie für Ihr Konto verwenden wollen.',
    button: 'Diese Adresse verwenden',
    done: 'Ihr Konto hat seine neue Adresse. Sie können diese Seite schließen.',
  },
};

/** The page that brings an account back to its old address. */
export const UNDO_EMAIL_CHANGE: Page = {
  en: {
    title: 'Undo the change of your e-mail address',
    text:
      'Your account gets its old e-mail address back. All devices are signed out, and the password is no ' +
      'longer valid. We send a mail to the old address, with a link to set a new password.',
    button: 'Undo the change',
    done:
      'Your account has its old address again. All devices are signed out, and the old password is no longer ' +
      'valid. Follow the link in the mail to the old address now, and set a new password.',
  },
  de: {
    title: 'Änderung der Adresse rückgängig machen',
    text:
      'Ihr Konto bekommt seine alte E-Mail-Adresse zurück. Alle Geräte werden abgemeldet, und das Passwort ' +
      'gilt nicht mehr. Wir senden eine Mail an die alte Adresse, mit einem Link für ein neues Passwort.',
    button: 'Rückgängig machen',
    done:
      'Ihr Konto hat wieder seine alte Adresse. Alle Geräte sind abgemeldet, und das alte Passwort gilt nicht ' +
      'mehr. Folgen Sie jetzt dem Link in der Mail an die alte Adresse, und setzen Sie ein neues Passwort.',
  },
};

/** The page that sets a new password. */
export const RESET_PASSWORD: Page = {
  en: {
    title: 'Set a new password',
    text: 'All devices will be signed out.',
    button: 'Set the password',
    password: 'New password',
    passwordHint: 'A sentence of several words is strong and easy to remember.',
    done: 'Your new password is set, and all devices were signed out. You can sign in with it now.',
  },
  de: {
    title: 'Neues Passwort setzen',
    text: 'Alle Geräte werden abgemeldet.',
    button: 'Passwort setzen',
    password: 'Neues Passwort',
    passwordHint: 'Ein Satz aus mehreren Wörtern ist stark und leicht zu merken.',
    done: 'Ihr neues Passwort ist gesetzt, und alle Geräte wurden abgemeldet. Sie können sich damit anmelden.',
  },
};
