import type { ApiError, ApiErrorCode } from '../common/api-error.js';
import type { WeakReason } from '../passwords/password-policy.js';
import type { Texts } from './language.js';

/** The errors that pages have a sentence for. For all others they say on which side something went wrong. */
type ShownCode = Extract<
  ApiErrorCode,
  | 'account_changed'
  | 'bad_credentials'
  | 'body_too_large'
  | 'challenge_invalid'
  | 'code_invalid'
  | 'conflict'
  | 'email_not_verified'
  | 'email_taken'
  | 'enrolment_required'
  | 'forbidden'
  | 'last_admin'
  | 'last_credential'
  | 'link_invalid'
  | 'not_found'
  | 'origin_not_allowed'
  | 'overloaded'
  | 'passkey_challenge_invalid'
  | 'passkey_copied'
  | 'passkey_invalid'
  | 'passkey_taken'
  | 'passkey_unknown'
  | 'reauthentication_required'
  | 'too_many_factors'
  | 'unavailable'
  | 'user_disabled'
  | 'username_taken'
  | 'weak_password'
  | 'wrong_password'
>;

interface ProblemTexts {
  /** A field is empty. */
  missing: string;
  /** A field is wrong, and there is no better sentence. */
  invalid: string;
  /** The rules of fields. */
  fields: Record<'username' | 'email' | 'displayName' | 'locale' | 'name' | 'code', string>;
  /** Returns the sentence for an error. */
  of: (error: ApiError) => string;
}

/** Returns the function that finds the sentence of an error. */
const sentences =
  (
    byCode: Record<ShownCode, string>,
    weak: Record<WeakReason, string>,
    others: { ofBrowser: string; ofServer: string },
    tooMany: (seconds: number) => string,
  ): ProblemTexts['of'] =>
  (error) => {
    if (error.code === 'too_many_requests') return tooMany(error.retryAfter);
    if (error.reason !== undefined && error.reason in weak) return weak[error.reason as WeakReason];
    if (error.code in byCode) return byCode[error.code as ShownCode];
    return error.status < 500 ? others.ofBrowser : others.ofServer;
  };

/** Returns a time to wait, in whole minutes above one minute. */
const wait = (seconds: number, one: [string, string], many: [string, string]): string => {
  const [count, [single, plural]] =
    seconds < 60 ? [Math.max(1, Math.ceil(seconds)), one] : [Math.ceil(seconds / 60), many];
  return `${count} ${count === 1 ? single : plural}`;
};

export const PROBLEM_TEXTS: Texts<ProblemTexts> = {
  en: {
    missing: 'Fill in this field.',
    invalid: 'This is not valid.',
    fields: {
      username: 'Use letters, digits, dots, hyphens and underscores, without spaces.',
      email: 'This is not an e-mail address.',
      displayName: 'Use one line of at most 64 characters.',
      locale: 'Choose a language from the list.',
      name: 'Use one line of at most 64 characters.',
      code: 'The code has six digits.',
    },
    of: sentences(
      {
        account_changed:
          'In this browser, another account has signed in since then. Open the page again.',
        bad_credentials: 'The name or the password is wrong.',
        body_too_large: 'This is too much text. Go back and shorten it.',
        challenge_invalid: 'This sign-in has expired or was completed. Start again.',
        code_invalid: 'This code is wrong or has expired.',
        conflict: 'Something has changed in the meantime. Try again.',
        email_not_verified:
          'Verify your e-mail address first. We have sent you a mail with a link.',
        email_taken: 'Another account has this address.',
        enrolment_required: 'Your role requires a second factor. Add one first.',
        forbidden: 'You are not allowed to do this.',
        last_admin: 'You are the last administrator, so your account has to stay.',
        last_credential: 'This is your last way to sign in. Add another one first.',
        link_invalid:
          'This link is invalid. It has expired, was used already, or a newer mail replaced it.',
        not_found: 'This does not exist any more.',
        origin_not_allowed:
          'Your browser sent this form from another site. Open the page again, and retry.',
        overloaded: 'Many people are signing in right now. Try again in a moment.',
        passkey_challenge_invalid: 'That took too long. Try your passkey again.',
        passkey_copied: 'This passkey may have been copied. Sign in another way.',
        passkey_invalid: 'This passkey was not accepted.',
        passkey_taken: 'This passkey is in your account already.',
        passkey_unknown: 'We do not know this passkey. Sign in another way.',
        reauthentication_required: 'Confirm that it is you.',
        too_many_factors: 'You have as many of these as an account can have. Remove one first.',
        unavailable: 'We cannot do this right now. Try again in a minute.',
        user_disabled: 'Your account is disabled. Ask the people who run this service.',
        username_taken: 'This name is taken or looks like another one.',
        weak_password: 'This password is too easy to guess.',
        wrong_password: 'This is not your current password.',
      },
      {
        empty: 'Fill in this field.',
        too_long: 'This password is too long. Use a shorter one.',
        too_short:
          'This password is too short. A sentence of several words is long and easy to remember.',
        invalid_characters: 'This password has characters that cannot be typed everywhere.',
        common: 'This password is one of the first that attackers try. Choose another one.',
        breached: 'This password is known from a data breach. Choose another one.',
        contains_username: 'This password contains your name. Choose another one.',
        contains_email: 'This password contains your e-mail address. Choose another one.',
        contains_service: 'This password contains the name of this service. Choose another one.',
      },
      {
        ofBrowser: 'We cannot use what your browser sent. Open the page again, and retry.',
        ofServer: 'Something went wrong on our side. Try again.',
      },
      (seconds) =>
        `Too many attempts. Try again in ${wait(seconds, ['second', 'seconds'], ['minute', 'minutes'])}.`,
    ),
  },
  de: {
    missing: 'Füllen Sie dieses Feld aus.',
    invalid: 'Diese Angabe ist ungültig.',
    fields: {
      username:
        'Verwenden Sie Buchstaben, Ziffern, Punkte, Binde- und Unterstriche, ohne Leerzeichen.',
      email: 'Das ist keine E-Mail-Adresse.',
      displayName: 'Verwenden Sie eine Zeile mit höchstens 64 Zeichen.',
      locale: 'Wählen Sie eine Sprache aus der Liste.',
      name: 'Verwenden Sie eine Zeile mit höchstens 64 Zeichen.',
      code: 'Der Code hat sechs Ziffern.',
    },
    of: sentences(
      {
        account_changed:
          'In diesem Browser hat sich inzwischen ein anderes Konto angemeldet. Öffnen Sie die Seite neu.',
        bad_credentials: 'Der Name oder das Passwort ist falsch.',
        body_too_large: 'Das ist zu viel Text. Gehen Sie zurück und kürzen Sie ihn.',
        challenge_invalid:
          'Diese Anmeldung ist abgelaufen oder schon abgeschlossen. Beginnen Sie von vorn.',
        code_invalid: 'Dieser Code ist falsch oder abgelaufen.',
        conflict: 'Inzwischen hat sich etwas geändert. Versuchen Sie es noch einmal.',
        email_not_verified:
          'Bestätigen Sie zuerst Ihre E-Mail-Adresse. Wir haben Ihnen eine Mail mit einem Link geschickt.',
        email_taken: 'Ein anderes Konto hat diese Adresse.',
        enrolment_required:
          'Ihre Rolle verlangt einen zweiten Faktor. Fügen Sie zuerst einen hinzu.',
        forbidden: 'Das dürfen Sie nicht.',
        last_admin: 'Sie sind der letzte Administrator, deshalb muss Ihr Konto bleiben.',
        last_credential:
          'Das ist Ihr letzter Weg, sich anzumelden. Fügen Sie zuerst einen anderen hinzu.',
        link_invalid:
          'Dieser Link ist ungültig. Er ist abgelaufen, wurde schon benutzt, oder eine neuere Mail hat ihn ersetzt.',
        not_found: 'Das gibt es nicht mehr.',
        origin_not_allowed:
          'Ihr Browser hat dieses Formular von einer anderen Website gesendet. Öffnen Sie die Seite neu.',
        overloaded: 'Gerade melden sich viele an. Versuchen Sie es gleich noch einmal.',
        passkey_challenge_invalid: 'Das hat zu lange gedauert. Versuchen Sie es noch einmal.',
        passkey_copied: 'Dieser Passkey wurde vielleicht kopiert. Melden Sie sich anders an.',
        passkey_invalid: 'Dieser Passkey wurde nicht angenommen.',
        passkey_taken: 'Dieser Passkey gehört schon zu Ihrem Konto.',
        passkey_unknown: 'Wir kennen diesen Passkey nicht. Melden Sie sich anders an.',
        reauthentication_required: 'Bestätigen Sie, dass Sie es sind.',
        too_many_factors:
          'Mehr davon kann ein Konto nicht haben. Entfernen Sie zuerst einen Eintrag.',
        unavailable: 'Das geht gerade nicht. Versuchen Sie es in einer Minute noch einmal.',
        user_disabled: 'Ihr Konto ist gesperrt. Fragen Sie den Betreiber dieses Dienstes.',
        username_taken: 'Dieser Name ist vergeben oder sieht einem anderen ähnlich.',
        weak_password: 'Dieses Passwort ist zu leicht zu erraten.',
        wrong_password: 'Das ist nicht Ihr aktuelles Passwort.',
      },
      {
        empty: 'Füllen Sie dieses Feld aus.',
        too_long: 'Dieses Passwort ist zu lang. Nehmen Sie ein kürzeres.',
        too_short:
          'Dieses Passwort ist zu kurz. Ein Satz aus mehreren Wörtern ist lang und leicht zu merken.',
        invalid_characters: 'Dieses Passwort hat Zeichen, die man nicht überall eingeben kann.',
        common: 'Dieses Passwort probieren Angreifer als Erstes. Wählen Sie ein anderes.',
        breached: 'Dieses Passwort ist aus einem Datenleck bekannt. Wählen Sie ein anderes.',
        contains_username: 'Dieses Passwort enthält Ihren Namen. Wählen Sie ein anderes.',
        contains_email: 'Dieses Passwort enthält Ihre E-Mail-Adresse. Wählen Sie ein anderes.',
        contains_service:
          'Dieses Passwort enthält den Namen dieses Dienstes. Wählen Sie ein anderes.',
      },
      {
        ofBrowser:
          'Mit dem, was Ihr Browser gesendet hat, können wir nichts anfangen. Öffnen Sie die Seite neu.',
        ofServer: 'Auf unserer Seite ist etwas schiefgegangen. Versuchen Sie es noch einmal.',
      },
      (seconds) =>
        'Zu viele Versuche. Versuchen Sie es in ' +
        `${wait(seconds, ['Sekunde', 'Sekunden'], ['Minute', 'Minuten'])} noch einmal.`,
    ),
  },
};
