import { AccountName, Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { PASSWORD_TEXTS } from './password.texts.js';

/** The form for a new password. */
export function PasswordPage({
  language,
  form,
  username,
  isFirst,
}: {
  language: Language;
  form: FormState;
  username: string;
  /** Whether the account has no password yet. */
  isFirst: boolean;
}) {
  const texts = PASSWORD_TEXTS[language];
  return (
    <section class="card">
      <p>{isFirst ? texts.first : texts.otherDevices}</p>
      <Form form={form} action="/account/password">
        <AccountName username={username} />
        {!isFirst && (
          <Field
            form={form}
            name="current_password"
            type="password"
            label={texts.current}
            autocomplete="current-password"
            required
          />
        )}
        <Field
          form={form}
          name="new_password"
          type="password"
          label={texts.next}
          hint={texts.hint}
          autocomplete="new-password"
          required
        />
        <Button>{isFirst ? texts.set : texts.change}</Button>
      </Form>
      {!isFirst && (
        <p>
          <a href="/forgot-password">{texts.forgotten}</a>
        </p>
      )}
    </section>
  );
}
