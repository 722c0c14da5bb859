import type { Texts } from '../html/language.js';
import type { PageTexts } from '../mailed-links/page-texts.js';

/** The page of the mailed link. It signs in no browser, and shows the code for the client that asked. */
export const SIGN_IN: Texts<PageTexts> = {
  en: {
    title: 'Sign in',
    text:
      'This page does not sign you in here. It shows the code to type in the place where you asked to sign ' +
      'in, and tells you which place that was.',
    button: 'Show the code',
    done:
      'Type this code in the place where you asked to sign in. If you did not ask there, close this page and ' +
      'do not pass the code on, not even to our staff.',
    details: { code: 'Code', device: 'Device', address: 'IP address', time: 'Time' },
  },
  de: {
    title: 'Anmelden',
    text:
      'Diese Seite meldet Sie hier nicht an. Sie zeigt den Code, den Sie dort eingeben, wo Sie sich anmelden ' +
      'wollten, und sagt Ihnen, welcher Ort das war.',
    button: 'Code anzeigen',
    done:
      'Geben Sie diesen Code dort ein, wo Sie sich anmelden wollten. Wenn Sie das nicht waren, schließen Sie ' +
      'diese Seite und geben Sie den Code nicht weiter, auch nicht an unsere Mitarbeiter.',
    details: { code: 'Code', device: 'Gerät', address: 'IP-Adresse', time: 'Zeit' },
  },
};
