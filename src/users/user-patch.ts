import { clock } from '../common/clock.js';
import { isDisabled, type User } from './user.entity.js';

/** A reason and time for which a user may not sign in. */
export interface Ban {
  reason: string | null;
  /** When the ban ends by itself; null if it does not. */
  until: Date | null;
}

/** The values that an administrator may change. A missing one stays as it is. */
export interface UserPatch {
  roles?: string[];
  /** null lets a disabled user sign in again. */
  ban?: Ban | null;
  /** Whether the user is known to receive mail at the address. */
  verified?: boolean;
}

/** Returns the columns that `patch` changes; none if the user has these values already. */
export function changesOf(patch: UserPatch, user: User): Partial<User> {
  const now = clock.date();
  const changes = {
    ...rolesOf(patch, user),
    ...verifiedOf(patch, user, now),
    ...banOf(patch, user, now),
  };
  return Object.keys(changes).length > 0 ? { ...changes, updatedAt: now } : {};
}

export const sameRoles = (one: string[], other: string[]): boolean =>
  JSON.stringify(one.toSorted()) === JSON.stringify([...new Set(other)].toSorted());

function rolesOf({ roles }: UserPatch, user: User): Partial<User> {
  return !roles || sameRoles(user.roles, roles) ? {} : { roles: [...new Set(roles)] };
}

function verifiedOf({ verified }: UserPatch, user: User, now: Date): Partial<User> {
  const isVerified = user.emailVerifiedAt !== null;
  if (verified === undefined || verified === isVerified) return {};
  return { emailVerifiedAt: verified ? now : null };
}

function banOf({ ban }: UserPatch, user: User, now: Date): Partial<User> {
  if (ban === undefined) return {};
  if (ban === null) {
    // A ban that has ended by itself may still be stored.
    const isWritten = user.disabledAt !== null;
    return isWritten ? { disabledAt: null, disabledUntil: null, disabledReason: null } : {};
  }
  const isDone = isDisabled(user) && isSame(ban, user);
  if (isDone) return {};
  return {
    disabledAt: isDisabled(user) ? user.disabledAt : now,
    disabledUntil: ban.until,
    disabledReason: ban.reason,
  };
}

const isSame = ({ until, reason }: Ban, { disabledUntil, disabledReason }: User): boolean =>
  until?.getTime() === disabledUntil?.getTime() && reason === disabledReason;
