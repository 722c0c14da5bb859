import type { User } from './user.entity.js';

/** An address as the user typed it, and its unique form. */
export interface Address {
  email: string;
  emailKey: string;
}

type Named = Pick<User, 'id' | 'usernameKey'>;

/**
 * Tells whether a user has no username. Then the columns of the name hold the address, or `@` and the id if the
 * user holds no address. No username contains `@` and no address begins with it, so the three never collide.
 */
export const isNameless = ({ usernameKey }: Pick<User, 'usernameKey'>): boolean =>
  usernameKey.includes('@');

/** Returns the columns of the name for a new user without a username. */
export const namedByAddress = ({ email, emailKey }: Address) => ({
  username: email,
  usernameKey: emailKey,
});

/** Returns the columns that give `user` an address. Without a username the name changes with the address. */
export const withAddress = (user: Named, address: Address): Partial<User> => ({
  ...address,
  ...(isNameless(user) && namedByAddress(address)),
});

/** Returns the columns that take the address from `user`, who may not be known by it any more. */
export const withoutAddress = (user: Named): Partial<User> => ({
  emailKey: null,
  ...(isNameless(user) && placeholderName(user.id)),
});

/** Returns the columns of the name for a user with neither a username nor an address. */
export const placeholderName = (id: string) => ({ username: `@${id}`, usernameKey: `@${id}` });
