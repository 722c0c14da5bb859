import type { Language } from './language.js';

const formatOf = (language: Language) =>
  new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  });

const FORMATS: Record<Language, Intl.DateTimeFormat> = { en: formatOf('en'), de: formatOf('de') };

/** A time. Without JavaScript it is in UTC, because the server does not know the browser's time zone. */
export const Time = ({ at, language }: { at: Date; language: Language }) => (
  <time dateTime={at.toISOString()}>{`${FORMATS[language].format(at)} UTC`}</time>
);
