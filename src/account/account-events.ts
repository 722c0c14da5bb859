import type { User } from '../users/user.entity.js';
import type { ByUser } from '../users/user-events.js';

/** Events of this room. Each is published while the transaction holds the lock on the user's row. */
declare module '../common/events.service.js' {
  interface EventTypes {
    /** A user has exported everything that is stored about the user. */
    'user.exported': { user: User; byUser: ByUser };
  }
}
