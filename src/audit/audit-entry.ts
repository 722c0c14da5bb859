/** What the audit knows of; nothing else is recorded. A project's own actions are one more line here. */
export const AUDIT_ACTIONS = [
  'registered',
  'login',
  'login_failed',
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
  'role_changed',
  'roles_changed',
  'impersonation_started',
  'audit_pruned',
  'audit_rekeyed',
] as const;

/** A word for what happened. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Particulars, such as how many sessions ended: no secret, no name, no address of anybody. */
export type AuditDetails = Record<string, string | number | boolean | null>;

/** What happened, to whom, and by whom. */
export interface AuditEntry {
  action: AuditAction;
  /** The user it concerns; null where it is nobody, or not known who. */
  subjectId: string | null;
  /** Who did it; by default the signed-in user of the request. */
  actorId?: string | null;
  details?: AuditDetails;
}
