/** The languages of pages. */
export type PageLocale = 'en' | 'de';

/** The texts of one page before and after the user confirms it. */
export interface PageTexts {
  title: string;
  text: string;
  button: string;
  /** The label of the new password, if the page asks for one. */
  password?: string;
  done: string;
  /** The labels of what the page shows afterwards, by its names and in their order. */
  details?: Record<string, string>;
}

/** The texts that all pages share, by language; the first language is the fallback. */
export const SHARED_TEXTS: Record<PageLocale, Record<'invalid' | 'later' | 'weak', string>> = {
  en: {
    invalid: 'This link is invalid or has expired. Ask for a new one.',
    later: 'The server cannot do this right now. Please try again in a minute.',
    weak: 'You cannot use this password:',
  },
  de: {
    invalid: 'Dieser Link ist ungültig oder abgelaufen. Fordern Sie einen neuen an.',
    later:
      'Der Server kann das gerade nicht tun. Bitte versuchen Sie es in einer Minute noch einmal.',
    weak: 'Dieses Passwort können Sie nicht verwenden:',
  },
};
