/** What is shown of a user. */
export interface UserData {
  id: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  displayName: string | null;
  roles: string[];
  disabled: boolean;
  /** When that ends by itself, of which there is no event. ISO 8601, like all times of an event. */
  disabledUntil: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A user who may be gone by now. */
interface UserReference {
  id: string;
}

/**
 * What another service is told of: something that happened to the user `data.user`. No secret is ever
 * in it.
 */
export type WebhookEvent =
  | { type: 'user.created' | 'user.updated'; data: { user: UserData } }
  | { type: 'user.deleted' | 'password.changed'; data: { user: UserReference } }
  | {
      type: 'session.ended';
      data: {
        user: UserReference;
        /** Null where it is about many, which `count` says. */
        session: { id: string } | null;
        count: number;
        reason: string;
      };
    };
