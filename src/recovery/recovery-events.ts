/** Events of this room. Each is published while the transaction holds the lock on the user's row. */
declare module '../common/events.service.js' {
  interface EventTypes {
    /** A link to set a new password is mailed to a user. */
    'password.reset_requested': { userId: string };
  }
}

export {};
