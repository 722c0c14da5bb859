import type { Texts } from '../html/language.js';

interface DataTexts {
  title: string;
  export: { title: string; what: string; button: string };
  delete: {
    title: string;
    what: string;
    next: string;
    typeName: (name: string) => string;
    differs: string;
    button: string;
    back: string;
  };
}

export const DATA_TEXTS: Texts<DataTexts> = {
  en: {
    title: 'Your data',
    export: {
      title: 'Download your data',
      what: 'The file has everything that is stored about you, except for secrets such as passwords.',
      button: 'Download',
    },
    delete: {
      title: 'Delete your account',
      what: 'Your account and its data are removed at once, on all devices. You cannot undo this.',
      next: 'Delete the account …',
      typeName: (name) => `Type ${name} to delete the account`,
      differs: 'This is not the name of your account.',
      button: 'Delete the account for good',
      back: 'Keep the account',
    },
  },
  de: {
    title: 'Ihre Daten',
    export: {
      title: 'Ihre Daten herunterladen',
      what: 'Die Datei enthält alles, was über Sie gespeichert ist, außer Geheimnissen wie Passwörtern.',
      button: 'Herunterladen',
    },
    delete: {
      title: 'Ihr Konto löschen',
      what:
        'Ihr Konto und seine Daten werden sofort und auf allen Geräten entfernt. ' +
        'Das lässt sich nicht rückgängig machen.',
      next: 'Konto löschen …',
      typeName: (name) => `Geben Sie ${name} ein, um das Konto zu löschen`,
      differs: 'Das ist nicht der Name Ihres Kontos.',
      button: 'Konto endgültig löschen',
      back: 'Konto behalten',
    },
  },
};
