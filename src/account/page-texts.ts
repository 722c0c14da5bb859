/** What a page says before it is confirmed, and after. */
export interface PageTexts {
  title: string;
  text: string;
  button: string;
  /** The label of the new password, where the page asks for one. */
  password?: string;
  done: string;
}

export type PageName = 'verify-email' | 'confirm-email' | 'undo-email-change' | 'reset-password';

/** The texts of a language: of each page, and what is said where a link is no longer good. */
interface Language {
  invalid: string;
  later: string;
  weak: string;
  pages: Record<PageName, PageTexts>;
}

/** The pages' languages, by the first part of a language tag; the first is the fallback. */
export const PAGE_TEXTS: Record<string, Language> = {
  en: {
    invalid: 'This link is not valid, or no longer. Ask for a new one.',
    later: 'This cannot be done right now. Please try again in a minute.',
    weak: 'This password is not taken:',
    pages: {
      'verify-email': {
        title: 'Confirm your e-mail address',
        text: 'Confirm that this address is yours and that you gave it for an account.',
        button: 'Confirm the address',
        done: 'Your address is confirmed. You can close this page.',
      },
      'confirm-email': {
        title: 'Confirm your new e-mail address',
        text: 'Confirm that this address is yours and that your account is to move to it.',
        button: 'Move to this address',
        done: 'Your account has its new address. You can close this page.',
      },
      'undo-email-change': {
        title: 'Take the change of your address back',
        text:
          'Your account gets its old e-mail address back. All devices are signed out, and the password is ' +
          'good no longer: a mail to the old address brings a new one.',
        button: 'Take it back',
        done:
          'Your account has its old address again, all devices were signed out, and nobody can sign in. A ' +
          'mail is on its way to the old address by which you set a new password: do that now.',
      },
      'reset-password': {
        title: 'Set a new password',
        text: 'All devices will be signed out.',
        button: 'Set the password',
        password: 'New password',
        done: 'Your new password is set, and all devices were signed out. You can sign in with it now.',
      },
    },
  },
  de: {
    invalid: 'Dieser Link ist nicht oder nicht mehr gültig. Fordern Sie einen neuen an.',
    later: 'Das geht gerade nicht. Bitte versuchen Sie es in einer Minute noch einmal.',
    weak: 'Dieses Passwort geht nicht:',
    pages: {
      'verify-email': {
        title: 'E-Mail-Adresse bestätigen',
        text: 'Bestätigen Sie, dass diese Adresse Ihnen gehört und Sie sie für ein Konto angegeben haben.',
        button: 'Adresse bestätigen',
        done: 'Ihre Adresse ist bestätigt. Sie können diese Seite schließen.',
      },
      'confirm-email': {
        title: 'Neue E-Mail-Adresse bestätigen',
        text: 'Bestätigen Sie, dass diese Adresse Ihnen gehört und Ihr Konto sie bekommen soll.',
        button: 'Zu dieser Adresse wechseln',
        done: 'Ihr Konto hat seine neue Adresse. Sie können diese Seite schließen.',
      },
      'undo-email-change': {
        title: 'Änderung der Adresse rückgängig machen',
        text:
          'Ihr Konto bekommt seine alte E-Mail-Adresse zurück. Alle Geräte werden abgemeldet, und das ' +
          'Passwort gilt nicht mehr: Eine Mail an die alte Adresse bringt ein neues.',
        button: 'Rückgängig machen',
        done:
          'Ihr Konto hat wieder seine alte Adresse, alle Geräte wurden abgemeldet, und niemand kann sich ' +
          'anmelden. Eine Mail an die alte Adresse ist unterwegs, mit der Sie ein neues Passwort setzen: ' +
          'Tun Sie das jetzt.',
      },
      'reset-password': {
        title: 'Neues Passwort setzen',
        text: 'Alle Geräte werden abgemeldet.',
        button: 'Passwort setzen',
        password: 'Neues Passwort',
        done: 'Ihr neues Passwort ist gesetzt, und alle Geräte wurden abgemeldet. Sie können sich damit anmelden.',
      },
    },
  },
};
