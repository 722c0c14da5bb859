import { createHash } from 'node:crypto';
import { prepareUsername } from '../users/username.js';

/** A username for a user of a system without usernames. */
export interface DerivedName {
  username: string;
  usernameKey: string;
}

/**
 * Returns a username made of an address (the part before the `@`) or of a name with impossible letters. The
 * same source always gives the same name, so an import can be run again.
 */
export function deriveName(source: string): DerivedName {
  const local = source.replace(/@.*$/s, '');
  const kept = local
    .toWellFormed()
    .replaceAll(/[^\p{L}\p{M}\p{N}._-]/gu, '')
    .slice(0, 48);
  return named(kept) ?? named(`user-${digestOf(source)}`) ?? { username: '', usernameKey: '' };
}

/** Returns another name for the same user, if the first is taken. */
export function anotherName({ username }: DerivedName, source: string): DerivedName {
  const suffix = digestOf(source);
  return named(`${username}-${suffix}`) ?? deriveName(`user-${suffix}`);
}

function named(text: string): DerivedName | undefined {
  const prepared = prepareUsername(text);
  return prepared.ok ? { username: prepared.username, usernameKey: prepared.key } : undefined;
}

const digestOf = (source: string): string =>
  createHash('sha256').update(source).digest('hex').slice(0, 6);
