import type { Texts } from '../html/language.js';

interface SecondFactorTexts {
  title: string;
  code: string;
  codeHint: string;
  confirm: string;
  or: string;
  passkey: string;
  passkeyNeedsScript: string;
  recovery: string;
  recoveryCode: string;
  recoveryHint: string;
  startAgain: string;
}

export const SECOND_FACTOR_TEXTS: Texts<SecondFactorTexts> = {
  en: {
    title: 'Confirm that it is you',
    code: 'Code',
    codeHint: 'Enter the six digits that your authenticator app shows.',
    confirm: 'Confirm',
    or: 'or',
    passkey: 'Use your passkey',
    passkeyNeedsScript:
      'Your account asks for a passkey. This browser cannot use one, or its scripts are off.',
    recovery: 'Use a recovery code',
    recoveryCode: 'Recovery code',
    recoveryHint: 'You got these codes when you added your first factor. Each one works once.',
    startAgain: 'Start again',
  },
  de: {
    title: 'Bestätigen Sie, dass Sie es sind',
    code: 'Code',
    codeHint: 'Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App zeigt.',
    confirm: 'Bestätigen',
    or: 'oder',
    passkey: 'Passkey verwenden',
    passkeyNeedsScript:
      'Ihr Konto verlangt einen Passkey. Dieser Browser kann keinen verwenden, oder Skripte sind abgeschaltet.',
    recovery: 'Wiederherstellungscode verwenden',
    recoveryCode: 'Wiederherstellungscode',
    recoveryHint: 'Sie haben diese Codes mit Ihrem ersten Faktor bekommen. Jeder gilt nur einmal.',
    startAgain: 'Von vorn beginnen',
  },
};
