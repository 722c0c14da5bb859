import type { Texts } from '../html/language.js';

interface OverviewTexts {
  title: (name: string) => string;
  noAddress: string;
  addAddress: string;
  unverified: string;
  verify: string;
  noFactor: string;
  addFactor: string;
}

export const OVERVIEW_TEXTS: Texts<OverviewTexts> = {
  en: {
    title: (name) => `Hello, ${name}`,
    noAddress: 'Your account has no e-mail address, so you cannot reset a forgotten password.',
    addAddress: 'Add an address',
    unverified: 'Your e-mail address is not verified yet.',
    verify: 'Verify it',
    noFactor: 'A stolen password would be enough to get into your account.',
    addFactor: 'Add a passkey or an authenticator app',
  },
  de: {
    title: (name) => `Hallo, ${name}`,
    noAddress:
      'Ihr Konto hat keine E-Mail-Adresse. Ein vergessenes Passwort können Sie so nicht zurücksetzen.',
    addAddress: 'Adresse hinzufügen',
    unverified: 'Ihre E-Mail-Adresse ist noch nicht bestätigt.',
    verify: 'Adresse bestätigen',
    noFactor: 'Ein gestohlenes Passwort würde genügen, um in Ihr Konto zu kommen.',
    addFactor: 'Passkey oder Authenticator-App hinzufügen',
  },
};
