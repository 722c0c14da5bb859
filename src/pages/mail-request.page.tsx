import { Alert, Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { MailRequestTexts } from './mail-request.texts.js';

/** The form for the address of an account, or the message after it was sent. */
export function MailRequestPage({
  texts,
  form,
  action,
  isSent,
}: {
  texts: MailRequestTexts;
  form: FormState;
  action: string;
  isSent: boolean;
}) {
  return (
    <>
      {isSent ? (
        <Alert kind="done">{texts.sent}</Alert>
      ) : (
        <>
          <p>{texts.text}</p>
          <Form form={form} action={action}>
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
