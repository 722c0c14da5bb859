/** The actions that Latchkey records. */
export const AUDIT_ACTIONS = [
  'registered',
  'login',
  'login_failed',
  'stepped_up',
  'passkey_copied',
  'logout',
  'session_ended',
  'sessions_revoked',
  'refresh_reuse',
  'password_changed',
  'password_reset_requested',
  'password_reset',
  'email_verified',
  'email_changed',
  'email_lost',
  'user_created',
  'user_updated',
  'user_disabled',
  'user_enabled',
  'user_deleted',
  'user_exported',
  'users_imported',
  'factor_added',
  'factor_renamed',
  'factor_removed',
  'factors_reset',
  'recovery_codes_made',
  'recovery_code_used',
  'role_changed',
  'roles_changed',
  'impersonation_started',
  'audit_pruned',
  'audit_rekeyed',
] as const;

/** The form of a project's own action, such as `cat.fed`. Its dot tells it from Latchkey's. */
export const OWN_ACTION = /^[a-z_]{1,31}\.[a-z_]{1,31}$/;

/** The action of a row: one of Latchkey's, or a project's own in the form {@link OWN_ACTION}. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number] | `${string}.${string}`;

/** Further facts, such as the number of ended sessions. They contain no secret, name or address. */
export type AuditDetails = Record<string, string | number | boolean | null>;

/** A change, with the user it concerns and its actor. */
export interface AuditEntry {
  action: AuditAction;
  /** The user that the change concerns; null if there is none, or the user is unknown. */
  subjectId: string | null;
  /** The user that made the change. By default the signed-in user of the request. */
  actorId?: string | null;
  details?: AuditDetails;
}
