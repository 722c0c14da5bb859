/** What one look found: a sentence, and what to do where all is not well. Never has a secret in it. */
export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  advice?: string;
}

/** All is well. */
export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });

/** It works, but somebody should know. */
export const warn = (check: string, message: string, advice: string): Finding => ({
  check,
  status: 'warn',
  message,
  advice,
});

/** It must not go on like this. */
export const fail = (check: string, message: string, advice: string): Finding => ({
  check,
  status: 'fail',
  message,
  advice,
});
