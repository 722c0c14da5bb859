import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { AccessTokenClaims } from '../keys/access-token.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import type { User } from '../users/user.entity.js';
import { requireStepUp } from './step-up.js';

/**
 * Requires a recent sign-in before actions that an unattended device or a stolen token must not take (RFC
 * 9470): one of the last 15 minutes, or the password with the request.
 */
@Injectable()
export class StepUpService {
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
      requireStepUp(claims);
      return;
    }
    if (claims.act) throw new ApiError('impersonation_forbidden');
    await this.checkPassword(user, password, options);
  }

  /**
   * Checks the current password of a user.
   *
   * @throws ApiError wrong_password, overloaded, unavailable
   */
  async checkPassword(user: User, password: string, options?: HashOptions): Promise<void> {
    const prepared = preparePassword(password);
    const plain = prepared.ok ? prepared.password : undefined;
    if (!(await this.passwords.verify(plain, user.passwordHash, options))) {
      throw new ApiError('wrong_password');
    }
  }
}
