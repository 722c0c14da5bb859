import type { Texts } from '../html/language.js';

/** The sentence for a password that the policy accepts. */
export const GOOD_PASSWORD: Texts<string> = {
  en: 'This password is good.',
  de: 'Dieses Passwort ist gut.',
};
