import type { ApiError, ApiErrorCode } from '../common/api-error.js';
import type { Language } from './language.js';
import { PROBLEM_TEXTS } from './problem.texts.js';

/** The content of a form: empty at first, or as typed, with the problems of the last attempt. */
export interface FormState {
  /** The texts as typed, by the names of the fields. Secrets are not among them. */
  values: Readonly<Record<string, string>>;
  /** Sentences about wrong fields, by their names. */
  problems: Readonly<Record<string, string>>;
  /** A sentence about the whole form. */
  problem?: string;
}

/** A form before its first attempt, with the values that it starts with. */
export const freshForm = (values: FormState['values'] = {}): FormState => ({
  values,
  problems: {},
});

/** The fields that the page never shows again. */
const SECRET = /password|code|passkey|token|response/;

/** Tells whether a field, by its name, holds a secret, which no page shows again. */
export const isSecret = (name: string): boolean => SECRET.test(name);

/** The field that an error is about, if its code alone tells. */
const FIELDS: Partial<Record<ApiErrorCode, string>> = {
  username_taken: 'username',
  email_taken: 'email',
  weak_password: 'new_password',
  wrong_password: 'current_password',
  code_invalid: 'code',
};

/**
 * Returns a form after a failed attempt.
 *
 * @param body the form as the browser sent it
 * @param fields other names of fields in this form, such as `{ new_password: 'password' }`
 */
export function failedForm(
  error: ApiError,
  body: Readonly<Record<string, unknown>>,
  language: Language,
  fields: Readonly<Record<string, string>> = {},
): FormState {
  const texts = PROBLEM_TEXTS[language];
  const values = Object.fromEntries(
    Object.entries(body).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && !isSecret(entry[0]),
    ),
  );
  const named = FIELDS[error.code];
  const paths = named === undefined ? error.fields.map(({ path }) => path) : [named];
  const problems = paths.map((path) => {
    const field = fields[path] ?? path;
    const isMissing = error.code === 'missing_parameter' || !body[field];
    const text = texts.fields[path as keyof typeof texts.fields] as string | undefined;
    const ofField = isMissing ? texts.missing : (text ?? texts.invalid);
    return [field, named === undefined ? ofField : texts.of(error)] as const;
  });
  if (problems.length > 0) return { values, problems: Object.fromEntries(problems) };
  return { values, problems: {}, problem: texts.of(error) };
}
