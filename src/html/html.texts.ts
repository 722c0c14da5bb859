import type { Texts } from './language.js';

/** The texts that all pages share. */
export interface HtmlTexts {
  skip: string;
  terms: string;
  privacy: string;
  /** The name of a page for an error, and the link out of it. */
  errorTitle: string;
  home: string;
  /** The link to the page that mails a new link. */
  newLink: string;
  notFoundTitle: string;
  notFound: string;
}

export const HTML_TEXTS: Texts<HtmlTexts> = {
  en: {
    skip: 'Skip to the content',
    terms: 'Terms',
    privacy: 'Privacy',
    errorTitle: 'This did not work',
    home: 'Go to the start page',
    newLink: 'Ask for a new link',
    notFoundTitle: 'Page not found',
    notFound: 'There is no page at this address.',
  },
  de: {
    skip: 'Zum Inhalt springen',
    terms: 'Nutzungsbedingungen',
    privacy: 'Datenschutz',
    errorTitle: 'Das hat nicht geklappt',
    home: 'Zur Startseite',
    newLink: 'Neuen Link anfordern',
    notFoundTitle: 'Seite nicht gefunden',
    notFound: 'Unter dieser Adresse gibt es keine Seite.',
  },
};
