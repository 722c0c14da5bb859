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

/** Tells whether a user may sign in now and has a password. */
export const canSignIn = (user: User, settings: SignInSettings): boolean =>
  maySignIn(user, settings) && hasPassword(user.passwordHash);

/** Returns SQL for {@link canSignIn}. `now` is SQL as well, in milliseconds since 1970. */
export const canSignInSql = (settings: SignInSettings, now: string): string =>
  `${maySignInSql(settings, now)} AND password_hash NOT LIKE '${NO_PASSWORD}%'`;
