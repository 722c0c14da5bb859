import { Alert, Button, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import type { Wishes } from './form.schemas.js';
import { PasskeyButton, type UnknownPasskey } from './passkey-button.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';
import type { SignInWay } from './sign-in-ways.js';
import { RememberField, WishFields } from './wish-fields.js';

/** The form for a name and a password, and the other ways to sign in. */
export function SignInPage({
  language,
  form,
  lastWay,
  wishes,
  ways,
  signUp,
  done,
  isUnverified,
  unknown,
}: {
  language: Language;
  form: FormState;
  /** The way to show first. */
  lastWay: string | undefined;
  wishes: Wishes;
  /** The ways that have pages or routes of their own. */
  ways: readonly SignInWay[];
  /** The address of the page to register. */
  signUp: string;
  /** A message that another page led here with. */
  done?: string | undefined;
  /** Whether the sign-in was refused until the address is verified. */
  isUnverified: boolean;
  unknown?: UnknownPasskey | undefined;
}) {
  const texts = SIGN_IN_TEXTS[language];
  const kindOf = (way: string) => (way === lastWay ? 'main' : 'quiet');
  const passkey = (
    <PasskeyButton
      language={language}
      field="response"
      label={texts.passkey}
      kind={kindOf('passkey')}
      action="/sign-in/passkey"
      autofill
      unknown={unknown}
    />
  );
  const links = ways.map(({ name, path, label }) => ({
    name,
    link: (
      <a key={name} class={`button ${kindOf(name)}`} href={path}>
        {label[language]}
      </a>
    ),
  }));
  const isFirst = ({ name }: { name: string }) => name === lastWay;
  const first = lastWay === 'passkey' ? passkey : links.find(isFirst)?.link;
  return (
    <>
      {done && <Alert kind="done">{done}</Alert>}
      <Form form={form} action="/sign-in">
        <WishFields wishes={{ return_to: wishes.return_to }} />
        {isUnverified && <a href="/verification">{texts.verification}</a>}
        {first && (
          <>
            {/* The Enter key presses the first button of a form, and must send the password. */}
            <button hidden />
            {first}
            <p class="or">{texts.or}</p>
          </>
        )}
        <Field
          form={form}
          name="username"
          label={texts.login}
          autocomplete="username webauthn"
          autocapitalize="none"
          spellcheck={false}
          first={!first}
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
        <RememberField language={language} wishes={wishes} />
        <Button kind={first ? 'quiet' : 'main'}>{texts.button}</Button>
        {lastWay !== 'passkey' && passkey}
        {links.filter((way) => !isFirst(way)).map(({ link }) => link)}
      </Form>
      <ul class="links">
        <li>
          <a href="/forgot-password">{texts.forgotten}</a>
        </li>
        <li>
          {texts.noAccount} <a href={signUp}>{texts.register}</a>
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
        <a class="button main" href={next}>
          {texts.goOn}
        </a>
      )}
      <SignOutForm label={texts.signOut} />
    </>
  );
}

/** The button that ends the session. */
export const SignOutForm = ({
  label,
  returnTo,
}: {
  label: string;
  /** The page that the next sign-in leads to. */
  returnTo?: string;
}) => (
  <form method="post" action="/sign-out">
    {returnTo && <Hidden name="return_to" value={returnTo} />}
    <Button kind="quiet">{label}</Button>
  </form>
);
