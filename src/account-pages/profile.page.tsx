import { Button, Field, Form, Select } from '../html/fields.js';
import type { FormState } from '../html/form-state.js';
import { type Language, LANGUAGES } from '../html/language.js';
import { LANGUAGE_NAMES, PROFILE_TEXTS } from './profile.texts.js';

/** The form for the names and the language. */
export function ProfilePage({
  language,
  form,
  locale,
  hasUsername,
}: {
  language: Language;
  form: FormState;
  /** The user's present language, which may be one without pages. */
  locale: string | null;
  hasUsername: boolean;
}) {
  const texts = PROFILE_TEXTS[language];
  const tags = [...new Set([...LANGUAGES, ...(locale === null ? [] : [locale])])];
  return (
    <section class="card">
      <Form form={form} action="/account/profile">
        {hasUsername && (
          <Field
            form={form}
            name="username"
            label={texts.username}
            hint={texts.usernameHint}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
          />
        )}
        <Field
          form={form}
          name="displayName"
          label={texts.displayName}
          hint={texts.displayNameHint}
          autocomplete="name"
        />
        <Select
          form={form}
          name="locale"
          label={texts.locale}
          options={[
            ['', texts.browserLocale],
            ...tags.map((tag): [string, string] => [tag, nameOf(tag)]),
          ]}
        />
        <Button>{texts.button}</Button>
      </Form>
    </section>
  );
}

/** Returns the name of a language in that language, or its tag. */
const nameOf = (tag: string): string =>
  Object.hasOwn(LANGUAGE_NAMES, tag) ? LANGUAGE_NAMES[tag as Language] : tag;
