import { Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { PasskeyButton } from '../pages/passkey-button.js';
import type { CreationOptions } from '../passkeys/passkeys.views.js';
import { FACTORS_TEXTS } from './factors.texts.js';

/** The form for a new passkey. The script sends it with the passkey that the browser has made. */
export function NewPasskeyPage({
  language,
  form,
  options,
}: {
  language: Language;
  form: FormState;
  options: CreationOptions;
}) {
  const texts = FACTORS_TEXTS[language];
  return (
    <>
      <p>{texts.passkey.how}</p>
      <section class="card">
        <Form form={form} action="/account/factors/passkey">
          <Field
            form={form}
            name="name"
            label={texts.name}
            hint={texts.passkey.nameHint}
            autocomplete="off"
          />
          <PasskeyButton
            language={language}
            field="response"
            label={texts.passkey.create}
            kind="main"
            options={options}
            failed={texts.passkey.failed}
            missing={texts.passkey.needsScript}
          />
        </Form>
      </section>
      <p>
        <a href="/account/factors">{texts.back}</a>
      </p>
    </>
  );
}
