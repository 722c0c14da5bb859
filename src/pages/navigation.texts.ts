import type { Texts } from '../html/language.js';

interface NavigationTexts {
  /** The name of the navigation, for screen readers. */
  label: string;
  signOut: string;
}

export const NAVIGATION_TEXTS: Texts<NavigationTexts> = {
  en: { label: 'Your account', signOut: 'Sign out' },
  de: { label: 'Ihr Konto', signOut: 'Abmelden' },
};
