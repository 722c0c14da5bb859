import { Injectable } from '@nestjs/common';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { StepUpService } from '../auth/step-up.service.js';
import { EventsService } from '../common/events.service.js';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { UserChangesService } from '../users/user-changes.service.js';
import type { User } from '../users/user.entity.js';
import { AccountExport } from './account-export.js';
import type {
  ChangePasswordBody,
  DeleteAccountBody,
  UpdateProfileBody,
} from './account.schemas.js';

/** Serves signed-in users that manage their own account. */
@Injectable()
export class AccountService {
  constructor(
    private readonly config: Config,
    private readonly users: SignedInUserService,
    private readonly newPasswords: NewPasswords,
    private readonly userChanges: UserChangesService,
    private readonly stepUp: StepUpService,
    private readonly database: Database,
    private readonly events: EventsService,
    private readonly exports: AccountExport,
  ) {}

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
    const user = await this.users.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    const owner = { username: user.username, email: user.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(body.new_password, owner, options);
    const changed = await this.userChanges.changePassword(user, passwordHash, {
      keptSession: own.claims.sid,
      byUser: { locale: own.locale },
    });
    if (!changed) throw await this.users.changedMeanwhile(user);
  }

  /**
   * Changes the given fields of name and profile; resolves to the account after the change. A new name asks
   * for a step-up, because other services may know the user by it.
   *
   * @throws ApiError invalid_parameter (a name with `IDENTIFIER=email`), username_taken, too_many_requests (too many former names),
   *   reauthentication_required, wrong_password, conflict (the password was changed meanwhile),
   *   overloaded, unavailable
   */
  async updateProfile(
    own: OwnRequest,
    body: UpdateProfileBody,
    options?: HashOptions,
  ): Promise<User> {
    const user = await this.users.find(own.userId);
    const { username, current_password: password, ...profile } = body;
    if (username !== undefined && this.config.identifier === 'email') {
      throw new ApiError('invalid_parameter', {
        msg: 'Accounts have no username here: change the address by PUT /me/email',
      });
    }
    const renames = username !== undefined && username.username !== user.username;
    // A password that came along is judged in any case: it was counted as an attempt.
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
      { locale: own.locale },
    );
    if (!changed) throw await this.users.changedMeanwhile(user);
    return this.users.find(own.userId);
  }

  /** Everything that is stored about the user; recorded, and told by mail. */
  async export(own: OwnRequest): Promise<Record<string, unknown>> {
    const user = await this.users.find(own.userId);
    const document = await this.exports.of(user);
    await this.database.transaction(async (manager) => {
      const present = await this.users.lock(manager, user.id);
      const byUser = { locale: own.locale };
      await this.events.publish(manager, { type: 'user.exported', user: present, byUser });
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
    const user = await this.users.find(own.userId);
    await this.stepUp.require(user, own.claims, body.current_password, options);
    if (!(await this.userChanges.delete(user, { byUser: { locale: own.locale } }))) {
      throw await this.users.changedMeanwhile(user);
    }
  }
}
