import type { EventForUser } from '../audit/audit-export.js';
import type { Language } from '../html/language.js';
import { Time } from '../html/time.js';
import { knownDevice } from '../sessions/device.js';
import { ACTIVITY_TEXTS, actionInWords } from './activity.texts.js';
import { kindInWords } from './factors.texts.js';
import { methodsInWords } from './methods.texts.js';

/** A part of the user's events. */
export function ActivityPage({
  language,
  events,
  isFirst,
  next,
}: {
  language: Language;
  events: EventForUser[];
  isFirst: boolean;
  /** The cursor of the page with older events. */
  next: string | undefined;
}) {
  const texts = ACTIVITY_TEXTS[language];
  return (
    <>
      <p>
        {texts.why} <a href="/account/password">{texts.changePassword}</a>
      </p>
      {events.length > 0 && (
        <ul class="rows">
          {events.map((event, index) => (
            <li class="row" key={index}>
              <div>
                <p>
                  <strong>{actionInWords(event.action, language)}</strong>
                  {detailOf(event, language)}
                </p>
                <p class="hint">{originOf(event, language)}</p>
              </div>
              <p class="hint">
                <Time at={event.createdAt} language={language} />
              </p>
            </li>
          ))}
        </ul>
      )}
      <p class="actions">
        {!isFirst && <a href="/account/activity">{texts.newest}</a>}
        {next !== undefined && (
          <a class="button quiet" href={`/account/activity?cursor=${next}`}>
            {texts.older}
          </a>
        )}
      </p>
    </>
  );
}

/** Returns the methods of a sign-in or the kinds of factors, after a colon. */
function detailOf({ details }: EventForUser, language: Language): string {
  const { amr, kind } = details ?? {};
  const words =
    typeof amr === 'string'
      ? methodsInWords(amr.split(' '), language)
      : typeof kind === 'string'
        ? kind
            .split(' ')
            .map((one) => kindInWords(one, language))
            .join(', ')
        : '';
  return words && `: ${words}`;
}

/** Returns the device and the address, or that another person or the server caused the event. */
function originOf({ address, userAgent }: EventForUser, language: Language): string {
  const known = [knownDevice(userAgent ?? ''), address].filter(Boolean).join(' · ');
  return known || ACTIVITY_TEXTS[language].elsewhere;
}
