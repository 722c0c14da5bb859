import type { ApiError } from '../common/api-error.js';
import type { Assets } from '../html/assets.js';
import { Hidden } from '../html/fields.js';
import type { Language, Texts } from '../html/language.js';
import type { CreationOptions } from '../passkeys/passkeys.views.js';

const FAILED: Texts<string> = {
  en: 'Your browser could not use the passkey. Try again, or use another way.',
  de: 'Ihr Browser konnte den Passkey nicht verwenden. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.',
};

/** The passkey that an attempt offered and the server does not know, so that the browser can forget it. */
export interface UnknownPasskey {
  credential_id: string;
  rp_id: string;
}

/** Returns the passkey of a refusal `passkey_unknown`; undefined for other errors. */
export const unknownPasskey = ({ code, details }: ApiError): UnknownPasskey | undefined =>
  code === 'passkey_unknown' ? (details as unknown as UnknownPasskey) : undefined;

/** Adds the module that the button needs. Returns its path. */
export const passkeyScript = (assets: Assets): string =>
  assets.addModule('passkeys', import.meta.url);

/**
 * The button for a passkey, and the hidden field for the answer. The module `passkeys.browser.ts` shows it, and
 * sends the form that it stands in.
 */
export function PasskeyButton({
  language,
  field,
  label,
  kind,
  action,
  challenge,
  options,
  failed = FAILED[language],
  missing,
  autofill = false,
  unknown,
}: {
  language: Language;
  /** The name of the field. */
  field: 'response' | 'passkey' | 'proof_passkey';
  label: string;
  kind: 'main' | 'quiet';
  /** The path that the form is sent to, if it is not the form's own. */
  action?: string;
  /** The challenge of the sign-in that the passkey is the second factor of. */
  challenge?: string;
  /** The options for a new passkey. */
  options?: CreationOptions;
  /** The sentence for a browser that got no answer. */
  failed?: string;
  /** The sentence for a browser that cannot use passkeys. */
  missing?: string | undefined;
  /** Whether the browser offers passkeys at the name field, too. */
  autofill?: boolean;
  unknown?: UnknownPasskey | undefined;
}) {
  return (
    <>
      {missing && (
        <p class="hint" data-passkey-missing="">
          {missing}
        </p>
      )}
      <Hidden name={field} value="" />
      <button
        class={`button ${kind}`}
        formaction={action}
        hidden
        data-passkey={field}
        data-challenge={challenge}
        data-options={options && JSON.stringify(options)}
        data-autofill={autofill ? '' : undefined}
        data-unknown={unknown?.credential_id}
        data-rp-id={unknown?.rp_id}
      >
        <KeyIcon />
        {label}
      </button>
      <p class="problem" role="alert" hidden data-passkey-problem="">
        {failed}
      </p>
    </>
  );
}

const KeyIcon = () => (
  <svg
    class="icon"
    viewBox="0 0 24 24"
    width="20"
    height="20"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <circle cx="8" cy="9" r="4.5" />
    <path d="m11.5 12 8.5 8.5M16 16.5l2.5-2.5" />
  </svg>
);
