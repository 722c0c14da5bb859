/**
 * For pages with a field for a new password: says beneath it how good the password is, by the server's policy,
 * when the user stops typing.
 */
const PAUSE = 400;

for (const input of document.querySelectorAll<HTMLInputElement>('[autocomplete=new-password]')) {
  watch(input, input.form);
}

function watch(input: HTMLInputElement, form: HTMLFormElement | null): void {
  const said = document.createElement('p');
  said.className = 'hint strength';
  said.setAttribute('aria-live', 'polite');
  // After the problem of the last attempt, if there is one.
  input.parentElement?.append(said);
  let pause: number | undefined;
  let question: AbortController | undefined;
  // The name and the address count, too.
  form?.addEventListener('input', () => {
    clearTimeout(pause);
    question?.abort();
    if (input.value === '') said.textContent = '';
    else pause = window.setTimeout(() => void ask(form), PAUSE);
  });

  async function ask(form: HTMLFormElement): Promise<void> {
    const { signal } = (question = new AbortController());
    const body = new URLSearchParams({ password: input.value });
    for (const name of ['username', 'email']) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) body.set(name, field.value);
    }
    // The page may be in another language than the browser.
    const headers = { 'accept-language': document.documentElement.lang };
    try {
      const answer = await fetch('/password-strength', { method: 'POST', headers, body, signal });
      const text = answer.ok ? await answer.text() : '';
      if (!signal.aborted) said.textContent = text;
    } catch {
      // The user types on, or the server is away: it says the same when the form is sent.
      if (!signal.aborted) said.textContent = '';
    }
  }
}
