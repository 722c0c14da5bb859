import type { ComponentChildren } from 'preact';
import { Alert, Button, CodeField, Field, Form, Hidden } from '../html/fields.js';
import { type FormState, freshForm } from '../html/form-state.js';
import type { Language } from '../html/language.js';
import { PasskeyButton, type UnknownPasskey } from './passkey-button.js';
import { SECOND_FACTOR_TEXTS } from './second-factor.texts.js';

/** The fields of a request by which a second factor can be proven on the page, the first choice first. */
export const PROOF_FIELDS = ['code', 'passkey', 'recovery_code'] as const;

export type ProofField = (typeof PROOF_FIELDS)[number];

/** A sign-in that waits for its second factor. */
export interface WaitingSignIn {
  challenge: string;
  /** The names of the enrolled methods, as the challenge lists them. */
  methods: string;
  remember: boolean;
  returnTo: string;
}

interface Props {
  language: Language;
  waiting: WaitingSignIn;
  /** The fields of the enrolled methods. */
  proofs: readonly ProofField[];
  /** The field of the last attempt. */
  tried?: ProofField | undefined;
  form: FormState;
  unknown?: UnknownPasskey | undefined;
}

/** The second factors of a user, each with its form. */
export function SecondFactorPage({ language, waiting, proofs, tried, form, unknown }: Props) {
  const texts = SECOND_FACTOR_TEXTS[language];
  const { problem, ...fields } = form;
  const first = tried ?? proofs[0];
  const stateOf = (field: ProofField): FormState => (field === first ? fields : freshForm());
  const hasCode = proofs.includes('code');
  return (
    <>
      {problem && <Alert kind="problem">{problem}</Alert>}
      {hasCode && (
        <ProofForm waiting={waiting}>
          <CodeField
            form={stateOf('code')}
            label={texts.code}
            hint={texts.codeHint}
            first={!problem && first === 'code'}
          />
          <Button>{texts.confirm}</Button>
        </ProofForm>
      )}
      {proofs.includes('passkey') && (
        <ProofForm waiting={waiting}>
          {fields.problems.passkey && (
            <p class="problem" role="alert">
              {fields.problems.passkey}
            </p>
          )}
          <PasskeyButton
            language={language}
            field="passkey"
            label={texts.passkey}
            kind={hasCode ? 'quiet' : 'main'}
            challenge={waiting.challenge}
            missing={hasCode ? undefined : texts.passkeyNeedsScript}
            unknown={unknown}
          />
        </ProofForm>
      )}
      {proofs.includes('recovery_code') && (
        <details open={first === 'recovery_code'}>
          <summary>{texts.recovery}</summary>
          <ProofForm waiting={waiting}>
            <Field
              form={stateOf('recovery_code')}
              name="recovery_code"
              label={texts.recoveryCode}
              hint={texts.recoveryHint}
              first={!problem && first === 'recovery_code'}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              required
            />
            <Button>{texts.confirm}</Button>
          </ProofForm>
        </details>
      )}
      <p>
        <a href={`/sign-in?return_to=${encodeURIComponent(waiting.returnTo)}`}>
          {texts.startAgain}
        </a>
      </p>
    </>
  );
}

/** A form that sends one proof, and carries the waiting sign-in along. */
const ProofForm = ({
  waiting: { challenge, methods, remember, returnTo },
  children,
}: {
  waiting: WaitingSignIn;
  children: ComponentChildren;
}) => (
  <Form form={freshForm()} action="/sign-in/second-factor">
    <Hidden name="challenge" value={challenge} />
    <Hidden name="methods" value={methods} />
    <Hidden name="return_to" value={returnTo} />
    {remember && <Hidden name="remember" value="on" />}
    {children}
  </Form>
);
