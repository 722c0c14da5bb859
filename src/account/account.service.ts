import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { preparePassword } from '../passwords/password-policy.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import { UserChanges } from '../sessions/user-changes.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { ChangePasswordBody } from './account.schemas.js';

/** What signed-in users do with their own account. */
@Injectable()
export class AccountService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly newPasswords: NewPasswords,
    private readonly userChanges: UserChanges,
  ) {}

  /** @throws ApiError token_revoked where the user is gone */
  async find(id: string): Promise<User> {
    const user = await this.users.findById(id);
    if (!user) throw new ApiError('token_revoked');
    return user;
  }

  /**
   * Changes the password and ends all sessions but `session`.
   *
   * @throws ApiError wrong_password, weak_password, conflict (it was changed meanwhile), overloaded,
   *   unavailable
   */
  async changePassword(
    userId: string,
    session: string,
    body: ChangePasswordBody,
    options?: HashOptions,
  ): Promise<void> {
    const user = await this.find(userId);
    const current = preparePassword(body.current_password);
    const plain = current.ok ? current.password : undefined;
    if (!(await this.passwords.verify(plain, user.passwordHash, options))) {
      throw new ApiError('wrong_password');
    }
    const owner = { username: user.username, email: user.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(body.new_password, owner, options);
    const changed = await this.userChanges.changePassword(user, passwordHash, session);
    if (!changed) throw new ApiError('conflict', { msg: 'The password was changed meanwhile' });
  }
}
