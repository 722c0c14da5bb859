import type { Texts } from '../html/language.js';

interface SessionsTexts {
  title: string;
  why: string;
  unknownDevice: string;
  current: string;
  method: string;
  lastUsed: string;
  end: string;
  endOthers: string;
  done: Record<'ended' | 'others-ended', string>;
}

export const SESSIONS_TEXTS: Texts<SessionsTexts> = {
  en: {
    title: 'Devices',
    why: 'These devices are signed in to your account. Sign out any that you do not know, and change your password.',
    unknownDevice: 'Unknown device',
    current: 'This device',
    method: 'Signed in with',
    lastUsed: 'Last used',
    end: 'Sign out',
    endOthers: 'Sign out all other devices',
    done: {
      ended: 'The device is signed out.',
      'others-ended': 'All other devices are signed out.',
    },
  },
  de: {
    title: 'Geräte',
    why:
      'Diese Geräte sind in Ihrem Konto angemeldet. Melden Sie jedes ab, das Sie nicht kennen, ' +
      'und ändern Sie dann Ihr Passwort.',
    unknownDevice: 'Unbekanntes Gerät',
    current: 'Dieses Gerät',
    method: 'Angemeldet mit',
    lastUsed: 'Zuletzt benutzt',
    end: 'Abmelden',
    endOthers: 'Alle anderen Geräte abmelden',
    done: {
      ended: 'Das Gerät ist abgemeldet.',
      'others-ended': 'Alle anderen Geräte sind abgemeldet.',
    },
  },
};
