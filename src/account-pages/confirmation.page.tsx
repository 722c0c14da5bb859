import type { ComponentChildren } from 'preact';
import { AccountName, Alert, Button, CodeField, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { PasskeyButton } from '../pages/passkey-button.js';
import { SignOutForm } from '../pages/sign-in.page.js';
import { CONFIRMATION_TEXTS } from './confirmation.texts.js';

/** The credentials by which the user can confirm. */
export interface Ways {
  password: boolean;
  code: boolean;
  passkey: boolean;
  recoveryCode: boolean;
}

/** One form for each credential of the user. Each form has the fields of the waiting one. */
export function ConfirmationPage({
  language,
  form: { problem, ...state },
  waiting,
  returnTo,
  username,
  ways,
}: {
  language: Language;
  form: FormState;
  /** The names and values of the waiting form. */
  waiting: [name: string, value: string][];
  /** The page to come back to, for a user without a credential to confirm by. */
  returnTo: string;
  username: string;
  ways: Ways;
}) {
  const texts = CONFIRMATION_TEXTS[language];
  const proof = (content: ComponentChildren) => (
    <section class="card">
      <Form form={state} action="/account/confirm">
        {waiting.map(([name, value]) => (
          <Hidden key={name} name={name} value={value} />
        ))}
        {content}
      </Form>
    </section>
  );
  const hasNone = !Object.values(ways).includes(true);
  return (
    <>
      {problem && <Alert kind="problem">{problem}</Alert>}
      {!hasNone && <p>{texts.why}</p>}
      {ways.password &&
        proof(
          <>
            <AccountName username={username} />
            <Field
              form={state}
              name="current_password"
              type="password"
              label={texts.password}
              autocomplete="current-password"
              first
              required
            />
            <Button>{texts.button}</Button>
          </>,
        )}
      {ways.code &&
        proof(
          <>
            <CodeField
              form={state}
              name="proof_code"
              label={texts.code}
              hint={texts.codeHint}
              first={!ways.password}
            />
            <Button kind={ways.password ? 'quiet' : 'main'}>{texts.codeButton}</Button>
          </>,
        )}
      {ways.passkey &&
        proof(
          <>
            <h2>{texts.passkey}</h2>
            <PasskeyButton
              language={language}
              field="proof_passkey"
              label={texts.passkeyButton}
              kind="quiet"
              missing={texts.needsScript}
            />
          </>,
        )}
      {ways.recoveryCode && (
        <details open={state.problems.proof_recovery_code !== undefined}>
          <summary>{texts.lost}</summary>
          {proof(
            <>
              <Field
                form={state}
                name="proof_recovery_code"
                label={texts.recoveryCode}
                hint={texts.recoveryHint}
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                required
              />
              <Button kind="quiet">{texts.recoveryButton}</Button>
            </>,
          )}
        </details>
      )}
      {hasNone && (
        <section class="card">
          <p>{texts.none}</p>
          <SignOutForm label={texts.signOut} returnTo={returnTo} />
        </section>
      )}
    </>
  );
}
