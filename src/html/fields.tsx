import { type ComponentChildren, createContext } from 'preact';
import type { FormState } from './form-state.js';

/** A text field with its label, its hint and its problem. */
export function Field({
  form,
  name,
  label,
  hint,
  type = 'text',
  first = false,
  ...input
}: {
  form: FormState;
  name: string;
  label: string;
  hint?: string;
  type?: 'text' | 'password' | 'email';
  /** Whether this is the first field, which has the focus if no field is wrong. */
  first?: boolean;
  /** The kind of value that browsers and password managers fill in (HTML, section 4.10.18.7). */
  autocomplete: string;
  required?: boolean;
  inputmode?: 'numeric' | 'email';
  maxlength?: number;
  minlength?: number;
  autocapitalize?: 'none';
  spellcheck?: false;
}) {
  const problem = form.problems[name];
  const hasFocus = isFocused(form, name, first);
  const [hintId, problemId] = [`${name}-hint`, `${name}-problem`];
  const described = [hint && hintId, problem && problemId].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
      <input
        id={name}
        name={name}
        {...({ type } as object)}
        value={type === 'password' ? undefined : form.values[name]}
        aria-describedby={described || undefined}
        aria-invalid={problem ? 'true' : undefined}
        autofocus={hasFocus}
        {...input}
      />
      {problem && (
        <p class="problem" id={problemId} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** A list to choose from. */
export function Select({
  form,
  name,
  label,
  options,
}: {
  form: FormState;
  name: string;
  label: string;
  options: readonly (readonly [value: string, text: string])[];
}) {
  const problem = form.problems[name];
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select
        id={name}
        name={name}
        aria-describedby={problem && `${name}-problem`}
        aria-invalid={problem ? 'true' : undefined}
        autofocus={isFocused(form, name, false)}
      >
        {options.map(([value, text]) => (
          <option key={value} value={value} selected={value === form.values[name]}>
            {text}
          </option>
        ))}
      </select>
      {problem && (
        <p class="problem" id={`${name}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** Tells whether a field has the focus: it is the first wrong one, or the first one if none is wrong. */
function isFocused(form: FormState, name: string, first: boolean): boolean {
  const [wrong] = Object.keys(form.problems);
  if (form.problem !== undefined) return false;
  return wrong === undefined ? first : wrong === name;
}

/** The field for the code of an authenticator app or a mail: one field, into which a code can be pasted. */
export function CodeField({
  form,
  name = 'code',
  label,
  hint,
  first,
}: {
  form: FormState;
  name?: string;
  label: string;
  hint?: string;
  first?: boolean;
}) {
  return (
    <Field
      form={form}
      name={name}
      label={label}
      hint={hint}
      first={first}
      autocomplete="one-time-code"
      inputmode="numeric"
      spellcheck={false}
      autocapitalize="none"
      required
    />
  );
}

/** The id of the account that a page's forms are for; undefined on pages without a session. */
export const FormAccount = createContext<string | undefined>(undefined);

/** The field of a form that has this id. */
export const ACCOUNT_FIELD = 'signed_in_as';

/** A form that is sent by POST, with the problem of the whole form above its fields. */
export function Form({
  form,
  action,
  children,
  ...attributes
}: {
  form?: FormState;
  action: string;
  children: ComponentChildren;
  'data-download'?: '';
}) {
  return (
    // The server knows the rules and says them in words; the browser's own bubbles know fewer.
    <form method="post" action={action} noValidate {...attributes}>
      <FormAccount.Consumer>
        {(account) => account !== undefined && <Hidden name={ACCOUNT_FIELD} value={account} />}
      </FormAccount.Consumer>
      {form?.problem && <Alert kind="problem">{form.problem}</Alert>}
      {children}
    </form>
  );
}

/** A value that the form sends along. */
export const Hidden = ({ name, value }: { name: string; value: string }) => (
  <input type="hidden" name={name} value={value} />
);

/** The name of the account, which password managers save with a password. A field without a name is not sent. */
export const AccountName = ({ username, name }: { username: string; name?: string }) => (
  <input type="text" class="hidden" name={name} value={username} autocomplete="username" readOnly />
);

/** The button that sends a form, or a quiet or dangerous variant of it. */
export const Button = ({
  children,
  kind = 'main',
  ...attributes
}: {
  children: ComponentChildren;
  kind?: 'main' | 'quiet' | 'danger';
  id?: string;
  type?: 'submit' | 'button';
  name?: string;
  value?: string;
  hidden?: boolean;
  form?: string;
  'aria-label'?: string;
}) => (
  <button type="submit" class={`button ${kind}`} {...attributes}>
    {children}
  </button>
);

/** A message about the whole page. Screen readers read it at once, and a problem has the focus. */
export const Alert = ({
  kind,
  children,
}: {
  kind: 'problem' | 'done' | 'note';
  children: ComponentChildren;
}) => (
  <div
    class={`alert ${kind}`}
    role={kind === 'problem' ? 'alert' : 'status'}
    tabIndex={kind === 'problem' ? -1 : undefined}
    autofocus={kind === 'problem'}
  >
    {children}
  </div>
);
