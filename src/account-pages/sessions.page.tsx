import { Button, Form, Hidden } from '../html/fields.js';
import type { Language } from '../html/language.js';
import { Time } from '../html/time.js';
import { knownDevice } from '../sessions/device.js';
import type { Session } from '../sessions/session.entity.js';
import { methodsInWords } from './methods.texts.js';
import { SESSIONS_TEXTS } from './sessions.texts.js';

/** The living sessions of a user, the last used ones first. */
export function SessionsPage({
  language,
  sessions,
  places,
  current,
}: {
  language: Language;
  sessions: Session[];
  /** The places of their addresses, as far as they are known. */
  places: ReadonlyMap<string, string>;
  /** The id of the browser's own session. */
  current: string;
}) {
  const texts = SESSIONS_TEXTS[language];
  return (
    <>
      <p>{texts.why}</p>
      <ul class="rows">
        {sessions.map(({ id, userAgent, amr, address, lastUsedAt }) => {
          const device = knownDevice(userAgent) || texts.unknownDevice;
          const place = places.get(address);
          return (
            <li class="row" key={id}>
              <div>
                <p>
                  <strong>{device}</strong>{' '}
                  {id === current && <span class="badge">{texts.current}</span>}
                </p>
                <p class="hint">
                  {texts.method}: {methodsInWords(amr, language)}
                </p>
                <p class="hint">
                  {texts.lastUsed}: <Time at={lastUsedAt} language={language} />
                  {address && ` · ${place === undefined ? address : `${place} (${address})`}`}
                </p>
              </div>
              {id !== current && (
                <Form action="/account/sessions/end">
                  <Hidden name="id" value={id} />
                  <Button kind="quiet" aria-label={`${texts.end}: ${device}`}>
                    {texts.end}
                  </Button>
                </Form>
              )}
            </li>
          );
        })}
      </ul>
      {sessions.length > 1 && (
        <Form action="/account/sessions/end-others">
          <Button kind="danger">{texts.endOthers}</Button>
        </Form>
      )}
    </>
  );
}
