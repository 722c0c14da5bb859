import { Alert, Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { FORGOT_PASSWORD_TEXTS } from './forgot-password.texts.js';

/** The form for the address of an account, or the message after it was sent. */
export function ForgotPasswordPage({
  language,
  form,
  isSent,
}: {
  language: Language;
  form: FormState;
  isSent: boolean;
}) {
  const texts = FORGOT_PASSWORD_TEXTS[language];
  return (
    <>
      {isSent ? (
        <Alert kind="done">{texts.sent}</Alert>
      ) : (
        <>
          <p>{texts.text}</p>
          <Form form={form} action="/forgot-password">
            <Field
              form={form}
              name="email"
              type="email"
              label={texts.email}
              autocomplete="email"
              first
              required
            />
            <Button>{texts.button}</Button>
          </Form>
        </>
      )}
      <p>
        <a href="/sign-in">{texts.back}</a>
      </p>
    </>
  );
}
