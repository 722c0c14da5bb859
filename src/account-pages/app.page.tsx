import { Button, CodeField, Field, Form, Hidden } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { FACTORS_TEXTS } from './factors.texts.js';

/** The form for the name of a new app. */
export function NewAppPage({ language, form }: { language: Language; form: FormState }) {
  const texts = FACTORS_TEXTS[language];
  return (
    <>
      <p>{texts.app.how}</p>
      <section class="card">
        <Form form={form} action="/account/factors/app">
          <Field
            form={form}
            name="name"
            label={texts.name}
            hint={texts.app.nameHint}
            autocomplete="off"
          />
          <Button>{texts.app.next}</Button>
        </Form>
      </section>
      <p>
        <a href="/account/factors">{texts.back}</a>
      </p>
    </>
  );
}

/** The secret of a new app, and the form for its first code. */
export function ScanPage({
  language,
  form,
  id,
  uri,
  qr,
}: {
  language: Language;
  form: FormState;
  id: string;
  uri: string;
  /** An SVG image that this server has made. */
  qr: string;
}) {
  const texts = FACTORS_TEXTS[language].app;
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  return (
    <section class="card">
      <p>{texts.scan}</p>
      <div class="qr" role="img" aria-label={texts.qr} dangerouslySetInnerHTML={{ __html: qr }} />
      <p>
        {texts.cannotScan} <code class="secret">{secret.replaceAll(/.{4}(?=.)/g, '$& ')}</code>
      </p>
      <Form form={form} action="/account/factors/app/confirm">
        <Hidden name="id" value={id} />
        <Hidden name="uri" value={uri} />
        <CodeField form={form} label={texts.code} hint={texts.codeHint} first />
        <Button>{texts.confirm}</Button>
      </Form>
    </section>
  );
}
