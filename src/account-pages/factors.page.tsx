import { Alert, Button, Form } from '../html/fields.js';
import type { Language } from '../html/language.js';
import { Time } from '../html/time.js';
import type { Factor } from '../users/second-factors.js';
import { FACTORS_TEXTS, kindInWords } from './factors.texts.js';

/** The passkeys that the account still has, in the form of `PublicKeyCredential.signalAllAcceptedCredentials()`. */
export interface AcceptedPasskeys {
  rpId: string;
  userId: string;
  allAcceptedCredentialIds: string[];
}

/** The factors of a user, and the ways to add more. */
export function FactorsPage({
  language,
  problem,
  factors,
  recoveryCodesLeft,
  mustEnrol,
  accepted,
}: {
  language: Language;
  problem: string | undefined;
  factors: Factor[];
  recoveryCodesLeft: number;
  /** Whether the user's role requires a factor, and the session has none. */
  mustEnrol: boolean;
  accepted: AcceptedPasskeys | undefined;
}) {
  const texts = FACTORS_TEXTS[language];
  return (
    <>
      {problem && <Alert kind="problem">{problem}</Alert>}
      {mustEnrol && <Alert kind="note">{texts.mustEnrol}</Alert>}
      <p>{texts.why}</p>
      {factors.length > 0 && (
        <ul class="rows" data-passkeys={accepted && JSON.stringify(accepted)}>
          {factors.map(({ id, kind, name, createdAt, lastUsedAt }) => (
            <li class="row" key={id}>
              <div>
                <p>
                  <strong>{name}</strong>
                </p>
                <p class="hint">{kindInWords(kind, language)}</p>
                <p class="hint">
                  {texts.added}: <Time at={createdAt} language={language} />
                  {lastUsedAt && (
                    <>
                      {` · ${texts.lastUsed}: `}
                      <Time at={lastUsedAt} language={language} />
                    </>
                  )}
                </p>
              </div>
              <a
                class="button quiet"
                href={`/account/factors/${id}`}
                aria-label={`${texts.edit}: ${name}`}
              >
                {texts.edit}
              </a>
            </li>
          ))}
        </ul>
      )}
      {factors.length === 0 && accepted && <div data-passkeys={JSON.stringify(accepted)} />}
      <section class="card">
        <h2>{texts.add}</h2>
        <p class="hint">{texts.addHint}</p>
        <p class="actions">
          <a class="button main" href="/account/factors/passkey">
            {texts.addPasskey}
          </a>
          <a class="button quiet" href="/account/factors/app">
            {texts.addApp}
          </a>
        </p>
      </section>
      {factors.length > 0 && (
        <section class="card">
          <h2>{texts.codes.title}</h2>
          <p>{texts.codes.left(recoveryCodesLeft)}</p>
          <p class="hint">{texts.codes.renewHint}</p>
          <Form action="/account/factors/recovery-codes">
            <Button kind="quiet">{texts.codes.renew}</Button>
          </Form>
        </section>
      )}
    </>
  );
}
