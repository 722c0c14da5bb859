/** A user in the form for receivers. */
export interface UserData {
  id: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  displayName: string | null;
  roles: string[];
  disabled: boolean;
  /** When the ban ends by itself, without an event. ISO 8601, like all times of an event. */
  disabledUntil: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A user that may have been deleted. */
interface UserReference {
  id: string;
}

/** A message for another service about a change of the user `data.user`. It contains no secret. */
export type WebhookEvent =
  | { type: 'user.created' | 'user.updated'; data: { user: UserData } }
  | { type: 'user.deleted' | 'password.changed'; data: { user: UserReference } }
  | {
      type: 'factor.added' | 'factor.renamed' | 'factor.removed';
      data: { user: UserReference; factor: { kind: string } };
    }
  | { type: 'factors.reset'; data: { user: UserReference; kinds: string[] } }
  | {
      type: 'recovery_codes.made' | 'recovery_code.used';
      data: { user: UserReference; left: number };
    }
  | {
      type: 'session.ended';
      data: {
        user: UserReference;
        /** Null if the event is about several sessions; `count` gives their number. */
        session: { id: string } | null;
        count: number;
        reason: string;
      };
    };
