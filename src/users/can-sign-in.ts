import { hasPassword, NO_PASSWORD } from '../passwords/stored-hash.js';
import { isDisabled, isEnabledSql, type User } from './user.entity.js';

/** The settings that decide whether a user may sign in; part of `Config`. */
export interface SignInSettings {
  readonly requireVerifiedEmail: boolean;
}

/** Tells whether a user may sign in now, after proving a credential. */
export const maySignIn = (user: User, { requireVerifiedEmail }: SignInSettings): boolean =>
  !isDisabled(user) && (!requireVerifiedEmail || user.emailVerifiedAt !== null);

/** Returns SQL for {@link maySignIn}. `now` is SQL as well, in milliseconds since 1970. */
export const maySignInSql = ({ requireVerifiedEmail }: SignInSettings, now: string): string =>
  isEnabledSql(now) + (requireVerifiedEmail ? ' AND email_verified_at IS NOT NULL' : '');

/**
 * Tells whether mail to the address must not open an account: the address was never verified, and the account
 * has a second factor. A stranger may have registered it with the address of another person. The stranger's
 * passkey would outlive a new password.
 */
export const isClosedToMail = ({ emailVerifiedAt, secondFactorSince }: User): boolean =>
  emailVerifiedAt === null && secondFactorSince !== null;

/** Tells whether a user may sign in now and has a password. */
export const canSignIn = (user: User, settings: SignInSettings): boolean =>
  maySignIn(user, settings) && hasPassword(user.passwordHash);

/** Returns SQL for {@link canSignIn}. `now` is SQL as well, in milliseconds since 1970. */
export const canSignInSql = (settings: SignInSettings, now: string): string =>
  `${maySignInSql(settings, now)} AND password_hash NOT LIKE '${NO_PASSWORD}%'`;
