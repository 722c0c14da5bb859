import { Alert, Button, Field, Form } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import type { Factor } from '../users/second-factors.js';
import { FACTORS_TEXTS, kindInWords } from './factors.texts.js';

/** One factor: its name, and the button that removes it. */
export function FactorPage({
  language,
  form,
  factor,
}: {
  language: Language;
  form: FormState;
  factor: Factor;
}) {
  const texts = FACTORS_TEXTS[language];
  const path = `/account/factors/${factor.id}`;
  const { problem, ...fields } = form;
  return (
    <>
      {problem && <Alert kind="problem">{problem}</Alert>}
      <p>{kindInWords(factor.kind, language)}</p>
      <section class="card">
        <Form form={fields} action={path}>
          <Field form={fields} name="name" label={texts.name} autocomplete="off" required />
          <Button>{texts.rename}</Button>
        </Form>
      </section>
      <section class="card">
        <h2>{texts.removeTitle}</h2>
        <p>{texts.removeWarning}</p>
        <Form action={`${path}/remove`}>
          <Button kind="danger">{texts.remove}</Button>
        </Form>
      </section>
      <p>
        <a href="/account/factors">{texts.back}</a>
      </p>
    </>
  );
}
