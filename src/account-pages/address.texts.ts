import type { Texts } from '../html/language.js';

interface AddressTexts {
  title: string;
  present: string;
  verified: string;
  unverified: string;
  howToVerify: string;
  sendAgain: string;
  add: string;
  change: string;
  newAddress: string;
  hint: string;
  button: string;
  done: Record<'change-requested' | 'verification-sent', string>;
}

export const ADDRESS_TEXTS: Texts<AddressTexts> = {
  en: {
    title: 'E-mail address',
    present: 'Your address',
    verified: 'Verified',
    unverified: 'Not verified',
    howToVerify: 'We have sent you a mail with a link. Open the link to verify the address.',
    sendAgain: 'Send the mail again',
    add: 'Add an address',
    change: 'Change the address',
    newAddress: 'New address',
    hint: 'We send a mail to it. The address changes when you open the link in that mail.',
    button: 'Send the mail',
    done: {
      'change-requested': 'A mail to the new address is on its way. Open its link to confirm.',
      'verification-sent': 'A mail is on its way. Open its link to verify your address.',
    },
  },
  de: {
    title: 'E-Mail-Adresse',
    present: 'Ihre Adresse',
    verified: 'Bestätigt',
    unverified: 'Nicht bestätigt',
    howToVerify:
      'Wir haben Ihnen eine Mail mit einem Link geschickt. Öffnen Sie den Link, um die Adresse zu bestätigen.',
    sendAgain: 'Mail noch einmal senden',
    add: 'Adresse hinzufügen',
    change: 'Adresse ändern',
    newAddress: 'Neue Adresse',
    hint: 'Wir senden eine Mail dorthin. Die Adresse ändert sich, wenn Sie den Link darin öffnen.',
    button: 'Mail senden',
    done: {
      'change-requested':
        'Eine Mail an die neue Adresse ist unterwegs. Öffnen Sie zur Bestätigung den Link darin.',
      'verification-sent':
        'Eine Mail ist unterwegs. Öffnen Sie den Link darin, um Ihre Adresse zu bestätigen.',
    },
  },
};
