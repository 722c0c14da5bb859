/**
 * For the pages to sign in: asks the browser for a passkey, and sends its answer as the hidden field of the form.
 * Nothing of it is shown to browsers that cannot use passkeys.
 */
const button = document.querySelector<HTMLButtonElement>('button[data-passkey]');

const missing = document.querySelector<HTMLElement>('[data-passkey-missing]');

/** The prompt that is open: a browser has one at a time. */
let open: AbortController | undefined;

if (button && 'PublicKeyCredential' in window) {
  button.hidden = false;
  if (missing) missing.hidden = true;
  button.addEventListener('click', (event) => {
    event.preventDefault();
    void ask(button);
  });
  forget(button);
  if ('autofill' in button.dataset) void offer(button);
}

/** Offers passkeys in the list that the browser shows at the name field. */
async function offer(button: HTMLButtonElement): Promise<void> {
  if (!('isConditionalMediationAvailable' in PublicKeyCredential)) return;
  const canOffer = await PublicKeyCredential.isConditionalMediationAvailable();
  if (canOffer && !open) await ask(button, 'conditional');
}

/** Asks for a passkey, and sends the form with the answer. */
async function ask(
  button: HTMLButtonElement,
  mediation: CredentialMediationRequirement = 'optional',
): Promise<void> {
  open?.abort();
  const prompt = (open = new AbortController());
  const { form, dataset } = button;
  const problem = document.querySelector<HTMLElement>('[data-passkey-problem]');
  if (problem) problem.hidden = true;
  try {
    const publicKey = await optionsFor(dataset.challenge);
    if (prompt.signal.aborted) return;
    const { signal } = prompt;
    const answer = await navigator.credentials.get({ publicKey, mediation, signal });
    const field = form?.elements.namedItem(dataset.passkey ?? '');
    if (!(answer instanceof PublicKeyCredential) || !(field instanceof HTMLInputElement)) return;
    field.value = JSON.stringify(toJson(answer));
    form?.requestSubmit(button);
  } catch (error) {
    // The user closed the prompt, or another prompt took its place.
    const wasClosed =
      error instanceof DOMException && ['AbortError', 'NotAllowedError'].includes(error.name);
    if (problem && !wasClosed && mediation !== 'conditional') problem.hidden = false;
  }
}

/** Returns the options of a prompt, for the sign-in that waits for its second factor if there is one. */
async function optionsFor(challenge?: string): Promise<PublicKeyCredentialRequestOptions> {
  const answer = await fetch('/login/passkey/options', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ challenge }),
  });
  if (!answer.ok) throw new Error(`passkey options: ${answer.status}`);
  const options = (await answer.json()) as PublicKeyCredentialRequestOptionsJSON;
  const { challenge: toSign, allowCredentials = [], ...rest } = options;
  return {
    ...(rest as PublicKeyCredentialRequestOptions),
    challenge: bytesOf(toSign),
    allowCredentials: allowCredentials.map(({ id, transports }) => ({
      id: bytesOf(id),
      type: 'public-key',
      transports: transports as AuthenticatorTransport[],
    })),
  };
}

/** Returns the answer as `PublicKeyCredential.toJSON()` gives it, also in browsers that do not have it. */
function toJson(credential: PublicKeyCredential): object {
  const { id, type } = credential;
  const { clientDataJSON, authenticatorData, signature, userHandle } =
    credential.response as AuthenticatorAssertionResponse;
  return {
    id,
    rawId: id,
    type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: textOf(clientDataJSON),
      authenticatorData: textOf(authenticatorData),
      signature: textOf(signature),
      userHandle: userHandle ? textOf(userHandle) : null,
    },
  };
}

/** Tells the browser to offer a passkey no more that the server does not know. */
function forget({ dataset: { unknown: credentialId, rpId } }: HTMLButtonElement): void {
  if (credentialId && rpId && 'signalUnknownCredential' in PublicKeyCredential) {
    void PublicKeyCredential.signalUnknownCredential({ rpId, credentialId });
  }
}

/** Reads base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Writes base64url. */
function textOf(bytes: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
