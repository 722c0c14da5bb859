import { Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { ADDRESS_TEXTS } from './address.texts.js';

/** The present address, and the form for another one. */
export function AddressPage({
  language,
  form,
  email,
  isVerified,
}: {
  language: Language;
  form: FormState;
  email: string | null;
  isVerified: boolean;
}) {
  const texts = ADDRESS_TEXTS[language];
  return (
    <>
      {email !== null && (
        <section class="card">
          <h2>{texts.present}</h2>
          <p>
            {email}{' '}
            <span class={isVerified ? 'badge done' : 'badge'}>
              {isVerified ? texts.verified : texts.unverified}
            </span>
          </p>
          {!isVerified && (
            <>
              <p class="hint">{texts.howToVerify}</p>
              <Form action="/account/email/verification">
                <Button kind="quiet">{texts.sendAgain}</Button>
              </Form>
            </>
          )}
        </section>
      )}
      <section class="card">
        <h2>{email === null ? texts.add : texts.change}</h2>
        <Form form={form} action="/account/email">
          <Field
            form={form}
            name="email"
            type="email"
            label={texts.newAddress}
            hint={texts.hint}
            autocomplete="email"
            inputmode="email"
            required
          />
          <Button>{texts.button}</Button>
        </Form>
      </section>
    </>
  );
}
