import { chooseLocale } from '../mail/locale.js';

/** The languages of pages; the first one is the fallback. */
export const LANGUAGES = ['en', 'de'] as const;

export type Language = (typeof LANGUAGES)[number];

/** Texts in every language. A missing one does not compile. */
export type Texts<T> = Record<Language, T>;

/** Returns the language for the reader of a page, by an `Accept-Language` header or a locale such as `de-AT`. */
export const languageOf = (preferred: string | null | undefined): Language =>
  chooseLocale(preferred, LANGUAGES) as Language;
