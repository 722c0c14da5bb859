import type { NavigationEntry } from '../pages/navigation.js';
import type { Texts } from '../html/language.js';

/** A page of the account, with a sentence that the overview shows. */
interface AccountPage extends NavigationEntry {
  summary: Texts<string>;
}

/** The overview, to which a sign-in leads. */
export const OVERVIEW: NavigationEntry = {
  path: '/account',
  label: { en: 'Overview', de: 'Übersicht' },
};

/** The pages that the overview leads to. */
export const ACCOUNT_PAGES: AccountPage[] = [
  {
    path: '/account/profile',
    label: { en: 'Profile', de: 'Profil' },
    summary: {
      en: 'Your names, and the language of pages and mails',
      de: 'Ihre Namen und die Sprache von Seiten und Mails',
    },
  },
  {
    path: '/account/email',
    label: { en: 'E-mail address', de: 'E-Mail-Adresse' },
    summary: {
      en: 'Verify or change the address of your account',
      de: 'Die Adresse Ihres Kontos bestätigen oder ändern',
    },
  },
  {
    path: '/account/password',
    label: { en: 'Password', de: 'Passwort' },
    summary: { en: 'Change the password', de: 'Das Passwort ändern' },
  },
  {
    path: '/account/factors',
    label: { en: 'Sign-in security', de: 'Sicherheit' },
    summary: {
      en: 'Passkeys, authenticator apps and recovery codes',
      de: 'Passkeys, Authenticator-Apps und Wiederherstellungscodes',
    },
  },
  {
    path: '/account/sessions',
    label: { en: 'Devices', de: 'Geräte' },
    summary: {
      en: 'See and sign out the devices with your account',
      de: 'Die Geräte mit Ihrem Konto sehen und abmelden',
    },
  },
  {
    path: '/account/activity',
    label: { en: 'Activity', de: 'Aktivität' },
    summary: {
      en: 'Sign-ins and changes of your account',
      de: 'Anmeldungen und Änderungen an Ihrem Konto',
    },
  },
  {
    path: '/account/data',
    label: { en: 'Your data', de: 'Ihre Daten' },
    summary: {
      en: 'Download everything that is stored about you, or delete your account',
      de: 'Alles herunterladen, was über Sie gespeichert ist, oder Ihr Konto löschen',
    },
  },
];
