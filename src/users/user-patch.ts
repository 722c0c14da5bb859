import { clock } from '../common/clock.js';
import { isDisabled, type User } from './user.entity.js';

/** What keeps a user from signing in. */
export interface Ban {
  reason: string | null;
  /** When it ends by itself; null: never. */
  until: Date | null;
}

/** What an administrator may change; what is left out stays as it is. */
export interface UserPatch {
  roles?: string[];
  /** null lets a disabled user sign in again. */
  ban?: Ban | null;
  /** Whether the user is known to receive mail at the address. */
  verified?: boolean;
}

/** The columns that `patch` gives other values; none where the user is already as wanted. */
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
    // One that has ended by itself may still be written there.
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
