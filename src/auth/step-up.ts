import { Injectable } from '@nestjs/common';
import { ApiError, RECENT_SIGN_IN } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import type { AccessTokenClaims } from '../keys/access-token.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import type { User } from '../users/user.entity.js';

/**
 * Requires a recent sign-in before actions that an unattended device or a stolen token must not take (RFC
 * 9470): one of the last 15 minutes, or the password with the request. A refresh makes no sign-in recent.
 */
@Injectable()
export class StepUp {
  constructor(private readonly passwords: PasswordsService) {}

  /**
   * Checks the age of the sign-in, or the password.
   *
   * @param password the user's current one as typed, if the request has it; then it has to be right
   * @throws ApiError impersonation_forbidden, reauthentication_required, wrong_password, overloaded,
   *   unavailable
   */
  async require(
    user: User,
    claims: AccessTokenClaims,
    password: string | undefined,
    options?: HashOptions,
  ): Promise<void> {
    if (password === undefined) {
      requireRecentSignIn(claims);
      return;
    }
    if (claims.act) throw new ApiError('impersonation_forbidden');
    const prepared = preparePassword(password);
    const plain = prepared.ok ? prepared.password : undefined;
    if (!(await this.passwords.verify(plain, user.passwordHash, options))) {
      throw new ApiError('wrong_password');
    }
  }
}

/**
 * Checks the age of the sign-in.
 *
 * @throws ApiError impersonation_forbidden, reauthentication_required
 */
export function requireRecentSignIn({
  act,
  auth_time: signedInAt = 0,
}: Partial<AccessTokenClaims>): void {
  if (act) throw new ApiError('impersonation_forbidden');
  if (clock.now() / 1000 - signedInAt > RECENT_SIGN_IN) {
    throw new ApiError('reauthentication_required');
  }
}
