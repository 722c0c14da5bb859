import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Authentication } from '../auth/authentication.js';
import { ImpersonationService, type ImpersonationTokens } from '../auth/impersonation.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { isUuid } from '../common/uuid.js';
import { Database } from '../database/database.js';
import type { Subject } from '../keys/access-token.js';
import { unusableHash } from '../passwords/stored-hash.js';
import { PasswordResetService } from '../recovery/password-reset.service.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { RolesService } from '../users/roles.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { type PermitUser, UserChangesService } from '../users/user-changes.service.js';
import { prepareEmail } from '../users/email.js';
import { isClosedToMail } from '../users/can-sign-in.js';
import { lockUser } from '../users/lock-user.js';
import { type EnrolledFactors, SecondFactors } from '../users/second-factors.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { CreateUserBody, PatchUserBody } from './admin.schemas.js';
import { Authority } from './authority.js';

/** Administers the accounts of other users. */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly users: UsersService,
    private readonly userChanges: UserChangesService,
    private readonly sessions: SessionsService,
    private readonly roles: RolesService,
    private readonly authority: Authority,
    private readonly impersonation: ImpersonationService,
    private readonly resets: PasswordResetService,
    private readonly claims: AddressClaimsService,
    private readonly factors: SecondFactors,
    private readonly database: Database,
  ) {}

  /**
   * Returns a user.
   *
   * @throws ApiError not_found
   */
  async find(id: string): Promise<User> {
    return existing(await this.users.findById(checked(id)));
  }

  /**
   * Returns a user with the second factors.
   *
   * @throws ApiError not_found
   */
  async findWithFactors(id: string): Promise<{ user: User } & EnrolledFactors> {
    const user = await this.find(id);
    return { user, ...(await this.factors.list(user.id)) };
  }

  /**
   * Makes a user without a password, and mails a link to set one if there is an address.
   *
   * @throws ApiError forbidden, invalid_parameter (no such role), email_missing (no address to verify),
   *   username_taken, email_taken
   */
  async create(
    actor: Subject,
    { username, email, roles, verified, ...profile }: CreateUserBody,
  ): Promise<User> {
    if (verified && email.email === null) throw new ApiError('email_missing');
    const passwordHash = unusableHash();
    const emailVerifiedAt = verified ? clock.date() : null;
    const values = {
      ...username,
      ...email,
      ...profile,
      roles: [...new Set(roles)],
      emailVerifiedAt,
    };
    const vacate = (manager: EntityManager, key: string) => this.vacate(manager, actor, key);
    return this.users.create(
      { ...values, passwordHash },
      async (manager, user) => {
        (await this.authority.of(manager, actor)).requireCanGrantRoles(roles);
        await this.roles.expect(manager, roles);
        if (user.email !== null) await this.resets.send(manager, user);
      },
      { holdsAddress: true, vacate: verified ? vacate : undefined },
    );
  }

  /**
   * Changes a user.
   *
   * @throws ApiError not_found, forbidden, missing_parameter (no change given), invalid_parameter (no such
   *   role), email_missing, email_taken (by a verified account), last_admin
   */
  async update(
    actor: Subject,
    id: string,
    { roles, disabled, verified }: PatchUserBody,
  ): Promise<User> {
    if (roles === undefined && disabled === undefined && verified === undefined) {
      throw new ApiError('missing_parameter', {
        msg: 'Nothing to change: give roles, disabled or verified',
      });
    }
    const ban = disabled && { reason: disabled.reason ?? null, until: disabled.until ?? null };
    const patch = { roles, ban, verified };
    const permit = async (user: User, manager: EntityManager): Promise<void> => {
      const authority = await this.authority.of(manager, actor);
      authority.requireCanManage(user);
      if (verified && user.emailKey === null) await this.giveAddress(manager, actor, user);
      const granted = (roles ?? []).filter((role) => !user.roles.includes(role));
      authority.requireCanGrantRoles(granted);
      await this.roles.expect(manager, granted);
    };
    return existing(await this.userChanges.update(checked(id), patch, permit));
  }

  /**
   * Removes every row about a user.
   *
   * @throws ApiError not_found, forbidden, last_admin
   */
  async delete(actor: Subject, id: string): Promise<void> {
    const removed = await this.userChanges.delete(
      { id: checked(id) },
      { permit: this.permitManaging(actor) },
    );
    existing(removed || null);
  }

  /**
   * Ends all sessions of a user. Resolves to their number.
   *
   * @throws ApiError not_found, forbidden
   */
  async endSessions(actor: Subject, id: string): Promise<number> {
    const permit = this.permitManaging(actor);
    return existing(await this.sessions.endAll(checked(id), permit));
  }

  /**
   * Mails a user a link to set a new password.
   *
   * @throws ApiError not_found, forbidden, email_missing, conflict (the link would be refused)
   */
  async mailPasswordReset(actor: Subject, id: string): Promise<void> {
    const userId = checked(id);
    await this.database.transaction(async (manager) => {
      const user = existing(await lockUser(manager, userId));
      (await this.authority.of(manager, actor)).requireCanManage(user);
      if (user.emailKey === null) throw new ApiError('email_missing');
      if (isClosedToMail(user)) {
        throw new ApiError('conflict', {
          msg: 'This user has a second factor and never verified the address; reset the factors first',
        });
      }
      await this.resets.send(manager, user);
    });
  }

  /**
   * Issues an access token for acting on behalf of a user.
   *
   * @throws ApiError not_found, user_disabled; forbidden for oneself, for a user with all permissions, and
   *   for a user with more permissions than the actor
   */
  async impersonate(actor: Authentication, id: string): Promise<ImpersonationTokens> {
    return this.impersonation.start(actor, checked(id), async (user, manager) => {
      if (user.id === actor.subject.id) {
        throw new ApiError('forbidden', { msg: 'You cannot impersonate yourself' });
      }
      const authority = await this.authority.of(manager, actor.subject);
      authority.requireCanImpersonate(user);
      authority.requireCanManage(user);
    });
  }

  private permitManaging(actor: Subject): PermitUser {
    return async (user, manager) => {
      (await this.authority.of(manager, actor)).requireCanManage(user);
    };
  }

  /**
   * Takes an address from an unverified holder, unless the holder has more permissions than `actor`.
   *
   * @throws ApiError email_taken
   */
  private async vacate(manager: EntityManager, actor: Subject, emailKey: string): Promise<void> {
    const authority = await this.authority.of(manager, actor);
    await this.claims.vacate(manager, emailKey, (holder) => authority.canManage(holder));
  }

  /**
   * Gives a locked user the address that another, unverified account holds.
   *
   * @throws ApiError email_missing, email_taken
   */
  private async giveAddress(manager: EntityManager, actor: Subject, user: User): Promise<void> {
    if (user.email === null) throw new ApiError('email_missing');
    const prepared = prepareEmail(user.email);
    if (!prepared.ok) throw new ApiError('email_taken');
    await this.vacate(manager, actor, prepared.key);
    const address = { email: user.email, emailKey: prepared.key };
    Object.assign(user, await this.claims.give(manager, user, address));
  }
}

/**
 * Returns an id in the form of a UUID. Other texts are not looked up.
 *
 * @throws ApiError not_found
 */
export function checked(id: string): string {
  if (isUuid(id)) return id;
  return existing<string>(null);
}

/**
 * Returns a found value.
 *
 * @throws ApiError not_found if there is none
 */
export function existing<T>(found: T | null | undefined): T {
  if (found !== null && found !== undefined) return found;
  throw new ApiError('not_found', { msg: 'There is no such user' });
}
