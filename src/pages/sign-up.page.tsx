import { Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import type { Wishes } from './form.schemas.js';
import { SIGN_UP_TEXTS } from './sign-up.texts.js';
import { WishFields } from './wish-fields.js';

interface Props {
  language: Language;
  form: FormState;
  wishes: Wishes;
  /** The address of the page to sign in. */
  signIn: string;
  /** Whether the account has a name of its own, beside the address. */
  hasName: boolean;
  needsEmail: boolean;
  /** The least length of a password. */
  minLength: number;
  /** The address of the terms of use, if there is one. */
  terms: string | undefined;
}

/** The form for a new account. */
export function SignUpPage(props: Props) {
  const { language, form, wishes, signIn, hasName, needsEmail, minLength, terms } = props;
  const texts = SIGN_UP_TEXTS[language];
  return (
    <>
      <Form form={form} action="/sign-up">
        <WishFields wishes={wishes} />
        {hasName && (
          <Field
            form={form}
            name="username"
            label={texts.username}
            hint={texts.usernameHint}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            first
            required
          />
        )}
        <Field
          form={form}
          name="email"
          type="email"
          label={needsEmail ? texts.email : texts.emailOptional}
          autocomplete={hasName ? 'email' : 'username'}
          first={!hasName}
          required={needsEmail}
        />
        <Field
          form={form}
          name="password"
          type="password"
          label={texts.password}
          hint={texts.passwordHint(minLength)}
          autocomplete="new-password"
          required
        />
        {terms && (
          <p>
            {texts.terms} <a href={terms}>{texts.termsLink}</a>
            {texts.termsEnd}
          </p>
        )}
        <Button>{texts.button}</Button>
      </Form>
      <p>
        {texts.hasAccount} <a href={signIn}>{texts.signIn}</a>
      </p>
    </>
  );
}
