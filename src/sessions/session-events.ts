/** Why sessions end. */
export type EndReason =
  | 'logout'
  | 'ended_by_user'
  | 'refresh_token_reused'
  | 'too_many_sessions'
  | 'password_changed'
  | 'email_change_undone'
  | 'user_disabled'
  | 'user_deleted'
  | 'ended_by_admin';

/** Events about sessions. Each is published while the transaction holds the lock on the user's row. */
declare module '../common/events.service.js' {
  interface EventTypes {
    /** A user has signed in. */
    'session.started': { userId: string; sessionId: string };
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
