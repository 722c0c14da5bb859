import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Addresses } from '../addresses/addresses.service.js';
import { type Notice, Notices } from '../addresses/notices.js';
import { Audit } from '../audit/audit.service.js';
import { StepUp } from '../auth/step-up.js';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';
import type { AccessTokenClaims } from '../keys/access-token.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { type Also, UserChanges } from '../sessions/user-changes.js';
import { lockUser } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { AccountExport } from './account-export.js';
import type {
  ChangeEmailBody,
  ChangePasswordBody,
  DeleteAccountBody,
  UpdateProfileBody,
} from './account.schemas.js';

/** A request about one's own account: who asks, and in which language. */
export interface OwnRequest {
  userId: string;
  claims: AccessTokenClaims;
  /** `Accept-Language`. */
  locale?: string;
}

/** What signed-in users do with their own account. */
@Injectable()
export class AccountService {
  constructor(
    private readonly users: UsersService,
    private readonly newPasswords: NewPasswords,
    private readonly userChanges: UserChanges,
    private readonly stepUp: StepUp,
    private readonly addresses: Addresses,
    private readonly notices: Notices,
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly exports: AccountExport,
  ) {}

  /** @throws ApiError token_revoked where the user is gone */
  async find(id: string): Promise<User> {
    const user = await this.users.findById(id);
    if (!user) throw new ApiError('token_revoked');
    return user;
  }

  /**
   * Changes the password and ends all sessions but the one that asks.
   *
   * @throws ApiError reauthentication_required, wrong_password, weak_password, conflict (it was
   *   changed meanwhile), overloaded, unavailable
   */
  async changePassword(
    own: OwnRequest,
    body: ChangePasswordBody,
    options?: HashOptions,
  ): Promise<void> {
    const user = await this.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    const owner = { username: user.username, email: user.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(body.new_password, owner, options);
    const changed = await this.userChanges.changePassword(user, passwordHash, {
      keptSession: own.claims.sid,
      also: this.notice(user, 'password-changed', own.locale),
    });
    if (!changed) throw await this.changedMeanwhile(user);
  }

  /**
   * Changes the given fields of name and profile; resolves to the account after the change. A new name asks
   * for a step-up, because other services may know the user by it.
   *
   * @throws ApiError username_taken, too_many_requests (too many former names),
   *   reauthentication_required, wrong_password, conflict (the password was changed meanwhile),
   *   overloaded, unavailable
   */
  async updateProfile(
    own: OwnRequest,
    body: UpdateProfileBody,
    options?: HashOptions,
  ): Promise<User> {
    const user = await this.find(own.userId);
    const { username, current_password: password, ...profile } = body;
    const renames = username !== undefined && username.username !== user.username;
    // A password that came along is judged in any case: it was counted as a guess.
    const needsStepUp = renames || password !== undefined;
    if (needsStepUp) {
      await this.stepUp.require(user, own.claims, password, options);
    }
    const wanted = Object.entries({ ...username, ...profile });
    const changes = wanted.filter(([name, value]) => user[name as keyof User] !== value);
    if (changes.length === 0) return user;
    const changed = await this.userChanges.updateProfile(
      // The step-up was by the password of then.
      needsStepUp ? user : { id: user.id },
      Object.fromEntries(changes),
      this.notice(user, 'account-updated', own.locale),
    );
    if (!changed) throw await this.changedMeanwhile(user);
    return this.find(own.userId);
  }

  /**
   * Mails the new address a link, by which the account moves to it. `permit` is asked last, so that who
   * may not change the address uses up nothing of what the new one may get.
   *
   * @throws ApiError reauthentication_required, wrong_password, overloaded, unavailable, and what
   *   `permit` throws
   */
  async changeEmail(
    own: OwnRequest,
    body: ChangeEmailBody,
    permit: () => Promise<void>,
    options?: HashOptions,
  ): Promise<void> {
    const user = await this.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    await permit();
    await this.database.transaction(async (manager) => {
      const present = await this.lock(manager, user.id);
      // The step up was by the old password, and the new one must end this link.
      if (present.passwordHash !== user.passwordHash) throw await this.changedMeanwhile(user);
      await this.addresses.sendChange(manager, present, body.email, own.locale);
    });
  }

  /** Mails the account's address a link once more. @throws ApiError email_missing */
  async sendVerification({ id }: Pick<User, 'id'>, locale?: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const user = await this.lock(manager, id);
      if (user.email === null) throw new ApiError('email_missing');
      if (!user.emailVerifiedAt) await this.addresses.sendVerification(manager, user, locale);
    });
  }

  /** Everything that is stored about the user; recorded, and told by mail. */
  async export(own: OwnRequest): Promise<Record<string, unknown>> {
    const user = await this.find(own.userId);
    const document = await this.exports.of(user);
    await this.database.transaction(async (manager) => {
      const present = await this.lock(manager, user.id);
      await this.audit.record(manager, { action: 'user_exported', subjectId: user.id });
      await this.notice(present, 'account-exported', own.locale)(manager);
    });
    return document;
  }

  /**
   * Removes the account with everything that is stored about it.
   *
   * @throws ApiError reauthentication_required, wrong_password, conflict (the password was changed
   *   meanwhile), overloaded, unavailable
   */
  async delete(own: OwnRequest, body: DeleteAccountBody, options?: HashOptions): Promise<void> {
    const user = await this.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    const farewell = this.notice(user, 'account-deleted', own.locale);
    if (!(await this.userChanges.delete(user, { also: farewell }))) {
      throw await this.changedMeanwhile(user);
    }
  }

  /** The user, locked. @throws ApiError token_revoked if the user was deleted meanwhile */
  private async lock(manager: EntityManager, id: string): Promise<User> {
    const user = await lockUser(manager, id);
    if (!user) throw new ApiError('token_revoked');
    return user;
  }

  /** Why a user was not found with the password of before: it was changed, or the user deleted. */
  private async changedMeanwhile({ id }: User): Promise<ApiError> {
    const user = await this.users.findById(id);
    if (!user) return new ApiError('token_revoked');
    return new ApiError('conflict', { msg: 'The password was changed meanwhile' });
  }

  /** Tells the user of a change. */
  private notice(user: User, template: Notice, locale?: string): Also {
    return (manager) => this.notices.tell(manager, user, { template, locale });
  }
}
