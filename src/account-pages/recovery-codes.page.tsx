import { Alert, Button } from '../html/fields.js';
import type { Language } from '../html/language.js';
import { FACTORS_TEXTS } from './factors.texts.js';

/** New recovery codes, with buttons that work by JavaScript alone. */
export function RecoveryCodesPage({ language, codes }: { language: Language; codes: string[] }) {
  const texts = FACTORS_TEXTS[language].codes;
  return (
    <>
      <Alert kind="note">{texts.keep}</Alert>
      <section class="card">
        <ol class="codes" id="codes">
          {codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <p class="actions" id="keep" hidden data-copied={texts.copied}>
          <Button kind="quiet" type="button" id="copy">
            {texts.copy}
          </Button>
          <Button kind="quiet" type="button" id="download">
            {texts.download}
          </Button>
          <Button kind="quiet" type="button" id="print">
            {texts.print}
          </Button>
        </p>
      </section>
      <p>
        <a class="button main" href="/account/factors">
          {texts.kept}
        </a>
      </p>
    </>
  );
}
