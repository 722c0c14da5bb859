/** Tells the browser which passkeys the account still has, so that it offers no removed one (WebAuthn, section 5.1.10). */
type Accepted = { rpId: string; userId: string; allAcceptedCredentialIds: string[] };

/** Browsers from 2025 on have it. */
type Signals = { signalAllAcceptedCredentials?: (accepted: Accepted) => Promise<void> };

const { passkeys } = document.querySelector<HTMLElement>('[data-passkeys]')?.dataset ?? {};

if (passkeys !== undefined && 'PublicKeyCredential' in globalThis) {
  const signals = PublicKeyCredential as Signals;
  void signals
    .signalAllAcceptedCredentials?.(JSON.parse(passkeys) as Accepted)
    .catch(() => undefined);
}
