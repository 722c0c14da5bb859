import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { BreachedPasswords } from './breached-passwords.js';
import type { HashOptions } from './hash-pool.js';
import {
  checkNewPassword,
  type PasswordContext,
  type PreparedPassword,
  preparePassword,
} from './password-policy.js';
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

  /** Returns a password as typed in the form that is hashed, or why it is too weak. It looks at no data breach. */
  check(password: string, owner: PasswordOwner): PreparedPassword {
    const prepared = preparePassword(password);
    if (!prepared.ok) return prepared;
    const minLength = this.config.passwordMinLength;
    const refusal = checkNewPassword(prepared.password, { ...owner, minLength });
    return refusal ? { ok: false, refusal } : prepared;
  }

  /**
   * Returns the hash to store for a password as typed.
   *
   * @throws ApiError weak_password with the reason; overloaded, unavailable
   */
  async hash(password: string, owner: PasswordOwner, options?: HashOptions): Promise<string> {
    const checked = this.check(password, owner);
    if (!checked.ok) throw new ApiError('weak_password', checked.refusal);
    const breach = await this.breached.check(checked.password);
    if (breach) throw new ApiError('weak_password', breach);
    return this.passwords.hash(checked.password, options);
  }
}
