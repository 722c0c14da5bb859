import type { Texts } from '../html/language.js';

interface ConfirmationTexts {
  title: string;
  why: string;
  password: string;
  button: string;
  code: string;
  codeHint: string;
  codeButton: string;
  passkey: string;
  passkeyButton: string;
  needsScript: string;
  lost: string;
  recoveryCode: string;
  recoveryHint: string;
  recoveryButton: string;
  none: string;
  signOut: string;
}

export const CONFIRMATION_TEXTS: Texts<ConfirmationTexts> = {
  en: {
    title: 'Confirm that it is you',
    why: 'You signed in some time ago. Confirm that it is still you, and we go on where you were.',
    password: 'Your password',
    button: 'Confirm',
    code: 'Code from your authenticator app',
    codeHint: 'Six digits. The app shows a new code every 30 seconds.',
    codeButton: 'Confirm with the code',
    passkey: 'Passkey',
    passkeyButton: 'Confirm with a passkey',
    needsScript: 'This browser cannot use passkeys, or its scripts are off.',
    lost: 'Use a recovery code',
    recoveryCode: 'Recovery code',
    recoveryHint: 'Each code works once.',
    recoveryButton: 'Confirm with a recovery code',
    none:
      'Your account has no password and no second factor to confirm with. ' +
      'Sign out, and sign in again as you did before. Then you come back here.',
    signOut: 'Sign out',
  },
  de: {
    title: 'Bestätigen Sie, dass Sie es sind',
    why:
      'Ihre Anmeldung ist schon etwas her. Bestätigen Sie, dass Sie es noch sind. ' +
      'Danach geht es dort weiter, wo Sie waren.',
    password: 'Ihr Passwort',
    button: 'Bestätigen',
    code: 'Code aus Ihrer Authenticator-App',
    codeHint: 'Sechs Ziffern. Die App zeigt alle 30 Sekunden einen neuen Code.',
    codeButton: 'Mit Code bestätigen',
    passkey: 'Passkey',
    passkeyButton: 'Mit Passkey bestätigen',
    needsScript: 'Dieser Browser kann keine Passkeys verwenden, oder Skripte sind abgeschaltet.',
    lost: 'Einen Wiederherstellungscode verwenden',
    recoveryCode: 'Wiederherstellungscode',
    recoveryHint: 'Jeder Code gilt einmal.',
    recoveryButton: 'Mit Wiederherstellungscode bestätigen',
    none:
      'Ihr Konto hat weder ein Passwort noch einen zweiten Faktor, mit dem Sie bestätigen könnten. ' +
      'Melden Sie sich ab, und melden Sie sich wieder an wie zuvor. Danach sind Sie wieder hier.',
    signOut: 'Abmelden',
  },
};
