import type { ComponentChildren } from 'preact';
import { AccountName, Alert, Button, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { PageTexts } from './page-texts.js';

/** The page that the user goes on to. */
export interface NextPage {
  path: string;
  label: string;
}

/** The form that a mailed link leads to. It changes nothing before the user presses its button. */
export function MailedLinkForm({
  action,
  texts,
  token,
  form,
}: {
  action: string;
  texts: PageTexts;
  token: string;
  form: FormState;
}) {
  return (
    <>
      <p>{texts.text}</p>
      <Form form={form} action={action}>
        <Hidden name="token" value={token} />
        {texts.password !== undefined && (
          <>
            {/* The form sends the name along, so the page that refuses a password still has it. */}
            <AccountName name="username" username={form.values.username ?? ''} />
            <Field
              form={form}
              name="password"
              type="password"
              label={texts.password}
              hint={texts.passwordHint}
              autocomplete="new-password"
              first
              required
            />
          </>
        )}
        <Button>{texts.button}</Button>
      </Form>
    </>
  );
}

/** The result, with the details that the link shows. */
export const MailedLinkResult = ({
  text,
  details,
  next,
}: {
  text: string;
  details: { name: string; label: string; shown: ComponentChildren }[];
  next: NextPage | undefined;
}) => (
  <>
    <p>{text}</p>
    {details.length > 0 && (
      <dl>
        {details.map((detail) => (
          <>
            <dt>{detail.label}</dt>
            <dd class={detail.name === 'code' ? 'code' : undefined}>{detail.shown}</dd>
          </>
        ))}
      </dl>
    )}
    <Next next={next} />
  </>
);

/** The page of a link that is no longer valid. */
export const InvalidLink = ({ text, next }: { text: string; next: NextPage | undefined }) => (
  <>
    <Alert kind="problem">{text}</Alert>
    <Next next={next} />
  </>
);

const Next = ({ next }: { next: NextPage | undefined }) =>
  next && (
    <a class="button main" href={next.path}>
      {next.label}
    </a>
  );
