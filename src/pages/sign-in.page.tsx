import { Alert, Button, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { PasskeyButton, type UnknownPasskey } from './passkey-button.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';

/** The form for a name and a password, and the other ways to sign in. */
export function SignInPage({
  language,
  form,
  returnTo,
  done,
  unknown,
}: {
  language: Language;
  form: FormState;
  returnTo: string;
  /** A message that another page led here with. */
  done?: string | undefined;
  unknown?: UnknownPasskey | undefined;
}) {
  const texts = SIGN_IN_TEXTS[language];
  return (
    <>
      {done && <Alert kind="done">{done}</Alert>}
      <Form form={form} action="/sign-in">
        <Hidden name="return_to" value={returnTo} />
        <Field
          form={form}
          name="username"
          label={texts.login}
          autocomplete="username webauthn"
          autocapitalize="none"
          spellcheck={false}
          first
          required
        />
        <Field
          form={form}
          name="password"
          type="password"
          label={texts.password}
          autocomplete="current-password"
          required
        />
        <label class="check">
          <input type="checkbox" name="remember" checked={form.values.remember === 'on'} />
          {texts.remember}
        </label>
        <Button>{texts.button}</Button>
        <PasskeyButton
          language={language}
          field="response"
          label={texts.passkey}
          kind="quiet"
          action="/sign-in/passkey"
          autofill
          unknown={unknown}
        />
      </Form>
      <ul class="links">
        <li>
          <a href="/forgot-password">{texts.forgotten}</a>
        </li>
        <li>
          {texts.noAccount} <a href="/sign-up">{texts.register}</a>
        </li>
      </ul>
    </>
  );
}

/** For a browser that is signed in already. */
export function SignedInPage({
  language,
  name,
  next,
}: {
  language: Language;
  name: string;
  next: string;
}) {
  const texts = SIGN_IN_TEXTS[language];
  return (
    <>
      <p>{texts.signedInAs(name)}</p>
      {next !== '/' && (
        <p>
          <a class="button main" href={next}>
            {texts.goOn}
          </a>
        </p>
      )}
      <SignOutForm label={texts.signOut} />
    </>
  );
}

/** The button that ends the session. */
export const SignOutForm = ({ label }: { label: string }) => (
  <form method="post" action="/sign-out">
    <Button kind="quiet">{label}</Button>
  </form>
);
