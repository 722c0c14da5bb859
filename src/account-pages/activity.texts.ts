import type { AUDIT_ACTIONS } from '../audit/audit-entry.js';
import type { Language, Texts } from '../html/language.js';

/** Actions that concern roles, several users, or the audit itself. */
type OtherAction = 'users_imported' | 'roles_changed' | 'audit_pruned' | 'audit_rekeyed';

/** The actions that concern one user. A new action without words does not compile. */
type UserAction = Exclude<(typeof AUDIT_ACTIONS)[number], OtherAction>;

interface ActivityTexts {
  title: string;
  why: string;
  changePassword: string;
  newest: string;
  older: string;
  /** The event came from no device of the user. */
  elsewhere: string;
  actions: Record<UserAction, string>;
}

export const ACTIVITY_TEXTS: Texts<ActivityTexts> = {
  en: {
    title: 'Activity',
    why: 'If you see something that was not you:',
    changePassword: 'change your password',
    newest: 'Newest',
    older: 'Older',
    elsewhere: 'Not from a device of yours',
    actions: {
      registered: 'Account registered',
      login: 'Signed in',
      login_failed: 'Failed sign-in',
      stepped_up: 'Identity confirmed',
      passkey_copied: 'A passkey may have been copied',
      logout: 'Signed out',
      session_ended: 'Device signed out',
      sessions_revoked: 'All devices signed out',
      refresh_reuse: 'Device signed out: its session may have been stolen',
      password_changed: 'Password changed',
      password_reset_requested: 'New password asked for',
      password_reset: 'New password set by mail',
      email_verified: 'Address verified',
      email_changed: 'Address changed',
      email_lost: 'Address verified by another account',
      user_created: 'Account created',
      user_updated: 'Profile changed',
      user_disabled: 'Account disabled',
      user_enabled: 'Account enabled',
      user_deleted: 'Account deleted',
      user_exported: 'Data downloaded',
      factor_added: 'Factor added',
      factor_renamed: 'Factor renamed',
      factor_removed: 'Factor removed',
      factors_reset: 'Factors removed by an administrator',
      recovery_codes_made: 'Recovery codes made',
      recovery_code_used: 'Recovery code used',
      role_changed: 'Roles changed',
      impersonation_started: 'An administrator acts in your name',
    },
  },
  de: {
    title: 'Aktivität',
    why: 'Wenn Sie etwas sehen, das Sie nicht waren:',
    changePassword: 'Passwort ändern',
    newest: 'Neueste',
    older: 'Ältere',
    elsewhere: 'Nicht von einem Ihrer Geräte',
    actions: {
      registered: 'Konto registriert',
      login: 'Angemeldet',
      login_failed: 'Fehlgeschlagene Anmeldung',
      stepped_up: 'Identität bestätigt',
      passkey_copied: 'Ein Passkey wurde vielleicht kopiert',
      logout: 'Abgemeldet',
      session_ended: 'Gerät abgemeldet',
      sessions_revoked: 'Alle Geräte abgemeldet',
      refresh_reuse: 'Gerät abgemeldet: Seine Sitzung wurde vielleicht gestohlen',
      password_changed: 'Passwort geändert',
      password_reset_requested: 'Neues Passwort angefordert',
      password_reset: 'Neues Passwort per Mail gesetzt',
      email_verified: 'Adresse bestätigt',
      email_changed: 'Adresse geändert',
      email_lost: 'Adresse von einem anderen Konto bestätigt',
      user_created: 'Konto angelegt',
      user_updated: 'Profil geändert',
      user_disabled: 'Konto gesperrt',
      user_enabled: 'Konto entsperrt',
      user_deleted: 'Konto gelöscht',
      user_exported: 'Daten heruntergeladen',
      factor_added: 'Faktor hinzugefügt',
      factor_renamed: 'Faktor umbenannt',
      factor_removed: 'Faktor entfernt',
      factors_reset: 'Faktoren durch einen Administrator entfernt',
      recovery_codes_made: 'Wiederherstellungscodes erstellt',
      recovery_code_used: 'Wiederherstellungscode verwendet',
      role_changed: 'Rollen geändert',
      impersonation_started: 'Ein Administrator handelt in Ihrem Namen',
    },
  },
};

/** Returns an action in words. An action of the project's own stands as it is. */
export function actionInWords(action: string, language: Language): string {
  const { actions } = ACTIVITY_TEXTS[language];
  return Object.hasOwn(actions, action) ? actions[action as UserAction] : action;
}
