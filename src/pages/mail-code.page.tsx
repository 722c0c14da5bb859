import { Button, CodeField, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import type { Wishes } from './form.schemas.js';
import { MAIL_CODE_TEXTS } from './mail-code.texts.js';
import { RememberField, WishFields } from './wish-fields.js';

interface Props {
  language: Language;
  form: FormState;
  wishes: Wishes;
  /** The address of the page with the other ways to sign in. */
  signIn: string;
}

/** The form for the address that the code is mailed to. */
export function MailAddressPage({ language, form, wishes, signIn }: Props) {
  const texts = MAIL_CODE_TEXTS[language];
  return (
    <>
      <p>{texts.text}</p>
      <Form form={form} action="/sign-in/mail">
        <WishFields wishes={{ return_to: wishes.return_to }} />
        <Field
          form={form}
          name="email"
          type="email"
          label={texts.email}
          autocomplete="email"
          first
          required
        />
        <RememberField language={language} wishes={wishes} />
        <Button>{texts.button}</Button>
      </Form>
      <p>
        <a href={signIn}>{texts.back}</a>
      </p>
    </>
  );
}

/** The form for the code. It looks the same whether a mail was sent or not. */
export function MailCodePage({
  language,
  form,
  wishes,
  signIn,
  challenge,
  email,
  again,
}: Props & {
  challenge: string;
  email: string;
  /** The address of the page to ask for another mail. */
  again: string;
}) {
  const texts = MAIL_CODE_TEXTS[language];
  return (
    <>
      <p>{texts.sent(email)}</p>
      <Form form={form} action="/sign-in/mail/verify">
        <Hidden name="challenge" value={challenge} />
        <Hidden name="email" value={email} />
        <WishFields wishes={wishes} />
        <CodeField form={form} label={texts.code} hint={texts.codeHint} first />
        <Button>{texts.confirm}</Button>
      </Form>
      <ul class="links">
        <li>
          <a href={again}>{texts.again}</a>
        </li>
        <li>
          <a href={signIn}>{texts.back}</a>
        </li>
      </ul>
    </>
  );
}
