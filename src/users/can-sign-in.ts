import { hasPassword, NO_PASSWORD } from '../passwords/stored-hash.js';
import { isDisabled, isEnabledSql, type User } from './user.entity.js';

/** The settings that decide who may sign in; `Config` has them. */
export interface SignInSettings {
  readonly requireVerifiedEmail: boolean;
}

/** Whether a user may sign in now, having shown that the account is theirs. */
export const maySignIn = (user: User, { requireVerifiedEmail }: SignInSettings): boolean =>
  !isDisabled(user) && (!requireVerifiedEmail || user.emailVerifiedAt !== null);

/** SQL for {@link maySignIn}; `now` is SQL too, in milliseconds since 1970. */
export const maySignInSql = ({ requireVerifiedEmail }: SignInSettings, now: string): string =>
  isEnabledSql(now) + (requireVerifiedEmail ? ' AND email_verified_at IS NOT NULL' : '');

/** Whether a user may sign in now, and has a password to do so. */
export const canSignIn = (user: User, settings: SignInSettings): boolean =>
  maySignIn(user, settings) && hasPassword(user.passwordHash);

/** SQL for {@link canSignIn}; `now` is SQL too, in milliseconds since 1970. */
export const canSignInSql = (settings: SignInSettings, now: string): string =>
  `${maySignInSql(settings, now)} AND password_hash NOT LIKE '${NO_PASSWORD}%'`;
