import { Injectable } from '@nestjs/common';
import { Addresses } from '../addresses/addresses.service.js';
import { Audit } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { RegisterBody } from './auth.schemas.js';

/** Registers users. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly newPasswords: NewPasswords,
    private readonly addresses: Addresses,
    private readonly audit: Audit,
  ) {}

  /**
   * Registers a user. If another account holds the address, the answer is the same as if none did (see
   * `Addresses`).
   *
   * @param notify.allowed whether the server may send mail to the address
   * @throws ApiError weak_password with the reason, username_taken, missing_parameter (the e-mail
   *   address, if the settings require one), overloaded, unavailable
   */
  async register(
    { username, password, email, ...profile }: RegisterBody,
    notify: { locale?: string; allowed: boolean },
    options?: HashOptions,
  ): Promise<User> {
    if (this.config.requireVerifiedEmail && email.email === null) {
      throw new ApiError('missing_parameter', { msg: 'Missing email parameter' });
    }
    const owner = { username: username.username, email: email.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(password, owner, options);
    return this.users.create(
      { ...username, ...email, ...profile, passwordHash },
      async (manager, user) => {
        const { id } = user;
        await this.audit.record(manager, { action: 'registered', subjectId: id, actorId: id });
        if (notify.allowed) await this.addresses.sendVerification(manager, user, notify.locale);
      },
    );
  }
}
