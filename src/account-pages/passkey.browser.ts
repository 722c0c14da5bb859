/**
 * For forms that a passkey answers. The form `passkey` gets the answer in the field that its button names, and is
 * then sent.
 */
const form = document.querySelector<HTMLFormElement>('form#passkey');
const failed = form?.querySelector<HTMLElement>('[data-failed]');

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  // The module of every page disables the button of a form that is sent.
  event.stopPropagation();
  void answer(form);
});

async function answer(form: HTMLFormElement): Promise<void> {
  if (failed) failed.hidden = true;
  try {
    const { options } = form.dataset;
    const made = options === undefined ? await get() : await create(options);
    const field = form.querySelector<HTMLInputElement>('[name=response], [name=proof_passkey]');
    if (!field) return;
    field.value = JSON.stringify(made);
    form.submit();
  } catch {
    if (failed) failed.hidden = false;
  }
}

/** Makes a passkey by the options that the page brings. */
async function create(options: string): Promise<unknown> {
  const json = JSON.parse(options) as PublicKeyCredentialCreationOptionsJSON;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return toJson(await navigator.credentials.create({ publicKey }));
}

/** Asks a passkey for its answer. Options last five minutes, so they are fetched when they are needed. */
async function get(): Promise<unknown> {
  const response = await fetch('/login/passkey/options', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const json = (await response.json()) as PublicKeyCredentialRequestOptionsJSON;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return toJson(await navigator.credentials.get({ publicKey }));
}

const toJson = (credential: Credential | null): unknown =>
  (credential as PublicKeyCredential).toJSON();
