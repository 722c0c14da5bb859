import type { Texts } from '../html/language.js';

interface PasswordTexts {
  title: string;
  otherDevices: string;
  first: string;
  current: string;
  next: string;
  hint: string;
  change: string;
  set: string;
  forgotten: string;
  done: Record<'changed', string>;
}

export const PASSWORD_TEXTS: Texts<PasswordTexts> = {
  en: {
    title: 'Password',
    otherDevices: 'A new password signs you out on all your other devices.',
    first: 'Your account has no password yet. With one, you can also sign in by your name.',
    current: 'Current password',
    next: 'New password',
    hint: 'A sentence of several words is strong and easy to remember.',
    change: 'Change the password',
    set: 'Set the password',
    forgotten: 'Forgotten your password?',
    done: { changed: 'Your password is changed. All your other devices are signed out.' },
  },
  de: {
    title: 'Passwort',
    otherDevices: 'Ein neues Passwort meldet Sie auf all Ihren anderen Geräten ab.',
    first:
      'Ihr Konto hat noch kein Passwort. Mit einem können Sie sich auch mit Ihrem Namen anmelden.',
    current: 'Aktuelles Passwort',
    next: 'Neues Passwort',
    hint: 'Ein Satz aus mehreren Wörtern ist stark und leicht zu merken.',
    change: 'Passwort ändern',
    set: 'Passwort setzen',
    forgotten: 'Passwort vergessen?',
    done: { changed: 'Ihr Passwort ist geändert. Alle anderen Geräte sind abgemeldet.' },
  },
};
