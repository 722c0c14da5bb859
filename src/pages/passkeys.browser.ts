/**
 * For pages with the button for a passkey: asks the browser for one, or to make one, and sends its answer as the
 * hidden field of the form. Browsers that cannot use passkeys show no button.
 */
const button = document.querySelector<HTMLButtonElement>('button[data-passkey]');

const missing = document.querySelector<HTMLElement>('[data-passkey-missing]');

/** The options of a prompt as the server sends them. */
type Options = Partial<
  PublicKeyCredentialRequestOptionsJSON & PublicKeyCredentialCreationOptionsJSON
> & { challenge: string };

/** The parts of an answer that are bytes. */
const PARTS = [
  'clientDataJSON',
  'attestationObject',
  'authenticatorData',
  'signature',
  'userHandle',
];

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
    const answer = await answerOf(dataset, mediation, prompt.signal);
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

/** Returns the new passkey if the button brings the options for one, and else the answer of one that there is. */
async function answerOf(
  { options, challenge }: DOMStringMap,
  mediation: CredentialMediationRequirement,
  signal: AbortSignal,
): Promise<Credential | null> {
  if (options !== undefined) {
    const publicKey = withBytes(JSON.parse(options) as Options);
    return navigator.credentials.create({ publicKey, signal });
  }
  const publicKey = withBytes(await fetchOptions(challenge));
  return signal.aborted ? null : navigator.credentials.get({ publicKey, mediation, signal });
}

/** Returns the options of a prompt, for the sign-in that waits for its second factor if there is one. */
async function fetchOptions(challenge?: string): Promise<Options> {
  const answer = await fetch('/login/passkey/options', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ challenge }),
  });
  if (!answer.ok) throw new Error(`passkey options: ${answer.status}`);
  return (await answer.json()) as Options;
}

/** Returns options with bytes, as `parseRequestOptionsFromJSON()` does, also in browsers that do not have it. */
function withBytes(
  options: Options,
): PublicKeyCredentialCreationOptions & PublicKeyCredentialRequestOptions {
  const { challenge, user, allowCredentials = [], excludeCredentials = [] } = options;
  const read = <I extends { id: string }>(one: I) => ({ ...one, id: bytesOf(one.id) });
  return {
    ...options,
    challenge: bytesOf(challenge),
    user: user && read(user),
    allowCredentials: allowCredentials.map(read),
    excludeCredentials: excludeCredentials.map(read),
  } as unknown as PublicKeyCredentialCreationOptions & PublicKeyCredentialRequestOptions;
}

/** Returns the answer as `PublicKeyCredential.toJSON()` gives it, also in browsers that do not have it. */
function toJson(credential: PublicKeyCredential): object {
  const { id, type } = credential;
  const response = credential.response as Partial<AuthenticatorAttestationResponse>;
  const bytes = response as Record<string, ArrayBuffer | null | undefined>;
  const texts: Record<string, string | undefined> = {};
  for (const name of PARTS) texts[name] = bytes[name] ? textOf(bytes[name]) : undefined;
  return {
    id,
    rawId: id,
    type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...texts, transports: response.getTransports?.() },
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
