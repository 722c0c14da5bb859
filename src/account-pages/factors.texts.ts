import type { Language, Texts } from '../html/language.js';

interface FactorsTexts {
  title: string;
  why: string;
  mustEnrol: string;
  /** The names of kinds. */
  kinds: Record<'totp' | 'passkey', string>;
  added: string;
  lastUsed: string;
  edit: string;
  add: string;
  addHint: string;
  addPasskey: string;
  addApp: string;
  back: string;
  name: string;
  rename: string;
  removeTitle: string;
  removeWarning: string;
  remove: string;
  app: {
    title: string;
    how: string;
    nameHint: string;
    defaultName: string;
    next: string;
    scan: string;
    qr: string;
    cannotScan: string;
    code: string;
    codeHint: string;
    confirm: string;
  };
  passkey: {
    title: string;
    how: string;
    nameHint: string;
    create: string;
    failed: string;
    needsScript: string;
  };
  codes: {
    title: string;
    left: (count: number) => string;
    renewHint: string;
    renew: string;
    keep: string;
    copy: string;
    copied: string;
    download: string;
    print: string;
    kept: string;
  };
  done: Record<'added' | 'renamed' | 'removed', string>;
}

export const FACTORS_TEXTS: Texts<FactorsTexts> = {
  en: {
    title: 'Sign-in security',
    why: 'With a second factor, your password alone lets no one into your account.',
    mustEnrol: 'Your role requires a second factor. Add one to go on.',
    kinds: { totp: 'Authenticator app', passkey: 'Passkey' },
    added: 'Added',
    lastUsed: 'Last used',
    edit: 'Edit',
    add: 'Add a factor',
    addHint:
      'A passkey unlocks with your fingerprint, face or PIN, and needs no password. ' +
      'An authenticator app shows codes on your phone.',
    addPasskey: 'Add a passkey',
    addApp: 'Add an authenticator app',
    back: 'Back to sign-in security',
    name: 'Name',
    rename: 'Rename',
    removeTitle: 'Remove',
    removeWarning:
      'You can no longer sign in with it. With the last factor, the recovery codes end, too.',
    remove: 'Remove',
    app: {
      title: 'Add an authenticator app',
      how: 'You need an app that shows six-digit codes, such as the one for passwords on your phone.',
      nameHint: 'So that you recognise it later.',
      defaultName: 'Authenticator app',
      next: 'Continue',
      scan: 'Scan this code with the app, and type the code that the app then shows.',
      qr: 'QR code for the app',
      cannotScan: 'Without a camera, type this key into the app:',
      code: 'Code from the app',
      codeHint: 'Six digits.',
      confirm: 'Add the app',
    },
    passkey: {
      title: 'Add a passkey',
      how: 'Your browser asks you to unlock this device, your phone or a security key.',
      nameHint: 'So that you recognise it later. Without one, it gets the name of this device.',
      create: 'Create the passkey',
      failed: 'Your browser made no passkey. Try again, or use another device.',
      needsScript: 'This browser cannot make passkeys, or its scripts are off.',
    },
    codes: {
      title: 'Recovery codes',
      left: (count) => (count === 1 ? 'One code is left.' : `${count} codes are left.`),
      renewHint: 'New codes replace the old ones, which no longer work.',
      renew: 'Make new codes',
      keep:
        'Keep these codes in a safe place, and not on the device of your factor. Each one signs you in once ' +
        'without your factor. This page shows them once.',
      copy: 'Copy',
      copied: 'Copied',
      download: 'Download',
      print: 'Print',
      kept: 'I have kept the codes',
    },
    done: {
      added: 'The factor is added.',
      renamed: 'The factor has its new name.',
      removed: 'The factor is removed.',
    },
  },
  de: {
    title: 'Sicherheit der Anmeldung',
    why: 'Mit einem zweiten Faktor genügt Ihr Passwort allein niemandem, um in Ihr Konto zu kommen.',
    mustEnrol:
      'Ihre Rolle verlangt einen zweiten Faktor. Fügen Sie einen hinzu, um weiterzumachen.',
    kinds: { totp: 'Authenticator-App', passkey: 'Passkey' },
    added: 'Hinzugefügt',
    lastUsed: 'Zuletzt benutzt',
    edit: 'Bearbeiten',
    add: 'Faktor hinzufügen',
    addHint:
      'Einen Passkey entsperren Sie mit Fingerabdruck, Gesicht oder PIN, ganz ohne Passwort. ' +
      'Eine Authenticator-App zeigt Codes auf Ihrem Telefon.',
    addPasskey: 'Passkey hinzufügen',
    addApp: 'Authenticator-App hinzufügen',
    back: 'Zurück zur Sicherheit der Anmeldung',
    name: 'Name',
    rename: 'Umbenennen',
    removeTitle: 'Entfernen',
    removeWarning:
      'Danach können Sie sich nicht mehr damit anmelden. Mit dem letzten Faktor enden auch die ' +
      'Wiederherstellungscodes.',
    remove: 'Entfernen',
    app: {
      title: 'Authenticator-App hinzufügen',
      how: 'Sie brauchen eine App, die sechsstellige Codes zeigt, etwa die für Passwörter auf Ihrem Telefon.',
      nameHint: 'Damit Sie sie wiedererkennen.',
      defaultName: 'Authenticator-App',
      next: 'Weiter',
      scan: 'Scannen Sie diesen Code mit der App und geben Sie den Code ein, den die App dann zeigt.',
      qr: 'QR-Code für die App',
      cannotScan: 'Ohne Kamera geben Sie diesen Schlüssel in die App ein:',
      code: 'Code aus der App',
      codeHint: 'Sechs Ziffern.',
      confirm: 'App hinzufügen',
    },
    passkey: {
      title: 'Passkey hinzufügen',
      how: 'Ihr Browser bittet Sie, dieses Gerät, Ihr Telefon oder einen Sicherheitsschlüssel zu entsperren.',
      nameHint: 'Damit Sie ihn wiedererkennen. Sonst bekommt er den Namen dieses Geräts.',
      create: 'Passkey erstellen',
      failed:
        'Ihr Browser hat keinen Passkey erstellt. Versuchen Sie es noch einmal oder mit einem anderen Gerät.',
      needsScript: 'Dieser Browser kann keine Passkeys erstellen, oder Skripte sind abgeschaltet.',
    },
    codes: {
      // A narrow window breaks the word here.
      title: 'Wiederherstellungs\u00adcodes',
      left: (count) => (count === 1 ? 'Ein Code ist übrig.' : `${count} Codes sind übrig.`),
      renewHint: 'Neue Codes ersetzen die alten. Diese gelten dann nicht mehr.',
      renew: 'Neue Codes erstellen',
      keep:
        'Bewahren Sie diese Codes sicher auf, und nicht auf dem Gerät Ihres Faktors. Jeder meldet Sie einmal ' +
        'ohne Ihren Faktor an. Diese Seite zeigt sie nur einmal.',
      copy: 'Kopieren',
      copied: 'Kopiert',
      download: 'Herunterladen',
      print: 'Drucken',
      kept: 'Ich habe die Codes aufbewahrt',
    },
    done: {
      added: 'Der Faktor ist hinzugefügt.',
      renamed: 'Der Faktor hat seinen neuen Namen.',
      removed: 'Der Faktor ist entfernt.',
    },
  },
};

/** Returns the name of a kind of factor. A kind of the project's own stands as it is. */
export function kindInWords(kind: string, language: Language): string {
  const { kinds } = FACTORS_TEXTS[language];
  return Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : kind;
}
