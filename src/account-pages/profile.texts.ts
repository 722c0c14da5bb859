import type { Texts } from '../html/language.js';

interface ProfileTexts {
  title: string;
  username: string;
  usernameHint: string;
  displayName: string;
  displayNameHint: string;
  locale: string;
  browserLocale: string;
  button: string;
  done: Record<'saved', string>;
}

/** The languages of pages, each in its own. */
export const LANGUAGE_NAMES: Texts<string> = { en: 'English', de: 'Deutsch' };

export const PROFILE_TEXTS: Texts<ProfileTexts> = {
  en: {
    title: 'Profile',
    username: 'Username',
    usernameHint: 'You sign in with it. After a change, your old name stays reserved for a while.',
    displayName: 'Name',
    displayNameHint: 'As others see it. You may leave it empty.',
    locale: 'Language',
    browserLocale: 'As in my browser',
    button: 'Save',
    done: { saved: 'Your profile is saved.' },
  },
  de: {
    title: 'Profil',
    username: 'Benutzername',
    usernameHint:
      'Damit melden Sie sich an. Nach einer Änderung bleibt der alte Name eine Weile reserviert.',
    displayName: 'Name',
    displayNameHint: 'So sehen ihn andere. Das Feld darf leer bleiben.',
    locale: 'Sprache',
    browserLocale: 'Wie in meinem Browser',
    button: 'Speichern',
    done: { saved: 'Ihr Profil ist gespeichert.' },
  },
};
