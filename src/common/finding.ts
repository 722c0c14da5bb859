/** The result of one check: a sentence, and advice if there is a problem. It never contains a secret. */
export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  advice?: string;
}

/** Returns a finding that all is well. */
export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });

/** Returns a finding that the operator should know about, although the server works. */
export const warn = (check: string, message: string, advice: string): Finding => ({
  check,
  status: 'warn',
  message,
  advice,
});

/** Returns a finding that the operator has to correct. */
export const fail = (check: string, message: string, advice: string): Finding => ({
  check,
  status: 'fail',
  message,
  advice,
});
