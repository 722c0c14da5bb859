import { Alert, Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { DATA_TEXTS } from './data.texts.js';

/** The buttons to download the data, and to go on to the deletion. */
export function DataPage({
  language,
  problem,
}: {
  language: Language;
  problem: string | undefined;
}) {
  const texts = DATA_TEXTS[language];
  return (
    <>
      {problem && <Alert kind="problem">{problem}</Alert>}
      <section class="card">
        <h2>{texts.export.title}</h2>
        <p>{texts.export.what}</p>
        <Form action="/account/data" data-download="">
          <Button>{texts.export.button}</Button>
        </Form>
      </section>
      <section class="card">
        <h2>{texts.delete.title}</h2>
        <p>{texts.delete.what}</p>
        <p>
          <a class="button danger" href="/account/delete">
            {texts.delete.next}
          </a>
        </p>
      </section>
    </>
  );
}

/** The form that deletes the account, once its name is typed. */
export function DeletePage({
  language,
  form,
  username,
}: {
  language: Language;
  form: FormState;
  username: string;
}) {
  const texts = DATA_TEXTS[language].delete;
  return (
    <>
      <Alert kind="note">{texts.what}</Alert>
      <section class="card">
        <Form form={form} action="/account/delete">
          <Field
            form={form}
            name="typed_name"
            label={texts.typeName(username)}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
          />
          <Button kind="danger">{texts.button}</Button>
        </Form>
      </section>
      <p>
        <a href="/account/data">{texts.back}</a>
      </p>
    </>
  );
}
