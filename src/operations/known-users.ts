import { skeletonOf } from '../common/look-alikes.js';
import { isNameless } from '../users/nameless.js';
import type { User } from '../users/user.entity.js';
import { anotherName } from './derived-name.js';
import type { ImportedUser } from './user-record.js';

/** A user of a file who may be imported. */
export interface Candidate {
  line: number;
  user: ImportedUser;
  notes: string[];
}

type KnownUser = Pick<User, 'id' | 'usernameKey' | 'emailKey' | 'emailVerifiedAt' | 'updatedAt'>;

/** Finds users by id, username and address. */
export class KnownUsers {
  private readonly ids = new Map<string, KnownUser>();
  private readonly usernames = new Map<string, KnownUser>();
  private readonly emails = new Map<string, KnownUser>();
  private readonly looks = new Set<string>();

  /** Starts with the users of `others`. */
  constructor(private readonly others?: KnownUsers) {}

  byId(id: string): KnownUser | undefined {
    return this.ids.get(id) ?? this.others?.byId(id);
  }

  byUsername(key: string): KnownUser | undefined {
    return this.usernames.get(key) ?? this.others?.byUsername(key);
  }

  byEmail(key: string): KnownUser | undefined {
    return this.emails.get(key) ?? this.others?.byEmail(key);
  }

  /** Tells whether a username is taken, reserved for a former holder, or a look-alike of one of these. */
  isTaken(usernameKey: string): boolean {
    return this.looks.has(skeletonOf(usernameKey)) || (this.others?.isTaken(usernameKey) ?? false);
  }

  /** Adds the skeletons of taken or reserved names; see `skeletonOf`. */
  addLooks(skeletons: readonly string[]): void {
    for (const skeleton of skeletons) this.looks.add(skeleton);
  }

  add(user: KnownUser): void {
    const { id, usernameKey, emailKey, emailVerifiedAt, updatedAt } = user;
    const known = { id, usernameKey, emailKey, emailVerifiedAt, updatedAt };
    this.ids.set(id, known);
    this.usernames.set(usernameKey, known);
    this.looks.add(skeletonOf(usernameKey));
    if (emailKey !== null) this.emails.set(emailKey, known);
  }
}

/** Returns the second choice of a derived name, if the first one is taken. */
export const fallbackName = (user: ImportedUser) =>
  user.derivedFrom === undefined ? undefined : anotherName(user, user.derivedFrom);

/** Returns the candidate. A derived name that is taken is replaced by a free one, with a note. */
export function withFreeName(candidate: Candidate, known: KnownUsers): Candidate {
  const { user, notes } = candidate;
  if (user.derivedFrom === undefined) return candidate;
  const name = known.isTaken(user.usernameKey) ? fallbackName(user) : undefined;
  const renamed = { ...user, ...name };
  const note = `There is no valid username: the user is called ${renamed.username}`;
  return { ...candidate, user: renamed, notes: [...notes, note] };
}

/**
 * Returns why a user is not stored: `unchanged` if the database has the user, or else a sentence. Undefined
 * if the user can be stored.
 */
export function reasonToSkip(
  user: ImportedUser,
  known: KnownUsers,
  began: Date,
): string | undefined {
  const namesake = isNameless(user) ? undefined : known.byUsername(user.usernameKey);
  const holder = user.emailKey === null ? undefined : known.byEmail(user.emailKey);
  // A verified user of the file takes the address from an unverified stored user; see `AddressClaimsService`.
  const isSquatted =
    holder?.emailVerifiedAt === null && holder.updatedAt < began && user.emailVerifiedAt !== null;
  const unnamed = user.derivedFrom !== undefined || isNameless(user);
  const alike = unnamed ? (isSquatted ? undefined : holder) : namesake;
  const same = user.id === undefined ? alike : known.byId(user.id);
  // If this import stored the user itself, the file has the user twice.
  if (same)
    return same.updatedAt < began
      ? 'unchanged'
      : 'The user is already in the file, on an earlier line';
  if (namesake) return 'The username belongs to another user';
  return holder && !isSquatted ? 'The email belongs to another user' : undefined;
}
