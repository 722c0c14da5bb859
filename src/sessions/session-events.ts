/** Why sessions end. */
export type EndReason =
  | 'logout'
  | 'ended_by_user'
  | 'refresh_token_reused'
  | 'too_many_sessions'
  | 'password_changed'
  | 'factor_added'
  | 'factors_reset'
  | 'email_change_undone'
  | 'account_claimed'
  | 'user_disabled'
  | 'user_deleted'
  | 'ended_by_admin';

/** Events about sessions. Each is published while the transaction holds the lock on the user's row. */
declare module '../common/events.service.js' {
  interface EventTypes {
    /** A user has signed in. */
    'session.started': { userId: string; sessionId: string; amr: string[] };
    /** A user has proven a credential again, or a further one. `amr` names the new proof alone. */
    'session.stepped_up': { userId: string; sessionId: string; amr: string[] };
    /** Sessions of a user have ended. */
    'sessions.ended': {
      userId: string;
      /** The last used ones first. Empty if an administrator ends all sessions of a user that has none. */
      ids: string[];
      /** Whether exactly one session was to end, and not all that there are. */
      one: boolean;
      reason: EndReason;
    };
  }
}
