import type { User } from './user.entity.js';

/** Set if users changed their own account, with the request's `Accept-Language`. */
export interface ByUser {
  locale?: string;
}

/** Why a user confirmed an address. */
export type AddressCause = 'verified' | 'changed' | 'undone';

/** The effect of a change of a user in other rooms. The sessions room fills it in. */
interface EndsSessions {
  /** The number of sessions that the change ended. */
  endedSessions: number;
}

/**
 * Events about users, and about roles. An event about a user is published while the transaction holds the
 * lock on the user's row.
 */
declare module '../common/events.service.js' {
  interface EventTypes {
    /** A user has registered, or an operator has made a user. */
    'user.created': { userId: string; registered: boolean };
    /** Other services see a changed user: profile, address, roles or ban. */
    'user.updated': { userId: string };
    /**
     * A user has another name or profile: `fields` of {@link User}. `user` is the state before the change.
     */
    'user.profile_changed': { user: User; fields: string[]; byUser?: ByUser };
    /** A user without a username has another address, or has lost it, and so has another name. */
    'user.renamed': { userId: string };
    /** A user has other roles. */
    'user.roles_changed': { userId: string; roles: string[] };
    /** A ban was set, or repeated (`isNew` is false). It ends at `until`, or never. */
    'user.disabled': { userId: string; until: Date | null; isNew: boolean } & EndsSessions;
    /** A ban was lifted. */
    'user.enabled': { userId: string };
    /** An operator says that the user receives mail at the address, or does not. */
    'user.verification_changed': { userId: string; verified: boolean };
    /**
     * An unverified account lost its address. Either the user `newHolderId` confirmed it by mail, or an operator
     * gave it to another account. `user` is the state before the change.
     */
    'user.address_lost': { user: User; newHolderId?: string };
    /**
     * A user has confirmed an address by mail. `user` is the state before the change: `verified` means that the
     * address was the user's already, `changed` that it is a new one, `undone` that a change was taken back.
     */
    'user.address_confirmed': { user: User; cause: AddressCause };
    /**
     * The reader of a mailbox has signed in by mail to an account that never verified the address. A stranger may
     * have made the account, so the credentials from before end: each room removes its own. `user` is the state
     * before.
     */
    'user.claimed': { user: User } & EndsSessions;
    /** A user was removed. `user` is the state before. */
    'user.deleted': { user: User; byUser?: ByUser };
    /** A user has another password. `user` is the state before the change. */
    'password.changed': {
      user: User;
      cause: 'changed' | 'reset' | 'email_change_undone';
      /** The session that continues, if any. */
      keptSession?: string;
      byUser?: ByUser;
    } & EndsSessions;
    /** Users have changed a second factor of their own. `name` is the user's name for it. */
    'factor.changed': {
      user: User;
      change: 'added' | 'renamed' | 'removed';
      kind: string;
      name: string;
      byUser: ByUser;
    };
    /** An operator, or the undo of a change of address, has removed second factors of these kinds. */
    'factors.reset': { user: User; kinds: string[] } & EndsSessions;
    /** The user got new recovery codes (`left` of them), or used one and has `left`. */
    'recovery_codes.changed': {
      user: User;
      change: 'made' | 'used';
      left: number;
      byUser?: ByUser;
    };
    /** A role was made or has other permissions; `permissions` is null if the role was removed. */
    'role.changed': { name: string; permissions: string[] | null };
  }
}
