import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { BreachedPasswords } from './breached-passwords.js';
import type { HashOptions } from './hash-pool.js';
import { checkNewPassword, type PasswordContext, preparePassword } from './password-policy.js';
import { PasswordsService } from './passwords.service.js';

/** The user of a new password. */
export type PasswordOwner = Omit<PasswordContext, 'minLength'>;

/** Hashes every new password, from whichever route or command it comes. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly config: Config,
    private readonly breached: BreachedPasswords,
    private readonly passwords: PasswordsService,
  ) {}

  /**
   * Returns the hash to store for a password as typed.
   *
   * @throws ApiError weak_password with the reason; overloaded, unavailable
   */
  async hash(password: string, owner: PasswordOwner, options?: HashOptions): Promise<string> {
    const prepared = preparePassword(password);
    if (!prepared.ok) throw new ApiError('weak_password', prepared.refusal);
    const minLength = this.config.passwordMinLength;
    const refusal =
      checkNewPassword(prepared.password, { ...owner, minLength }) ??
      (await this.breached.check(prepared.password));
    if (refusal) throw new ApiError('weak_password', refusal);
    return this.passwords.hash(prepared.password, options);
  }
}
