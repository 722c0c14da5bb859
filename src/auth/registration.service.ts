import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import type { HashOptions } from '../passwords/hash-pool.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { RegisterBody } from './auth.schemas.js';

/** Runs in the transaction that stores a new user. `locale` is the request's `Accept-Language`. */
type RegistrationHandler = (manager: EntityManager, user: User, locale?: string) => Promise<void>;

/** Registers users. */
@Injectable()
export class RegistrationService {
  private readonly handlers: RegistrationHandler[] = [];
  private readonly holderHandlers: RegistrationHandler[] = [];

  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly newPasswords: NewPasswords,
  ) {}

  /**
   * Adds a task of another room for each new user. Call it at the start. An error undoes the registration.
   */
  onRegistered(handler: RegistrationHandler): void {
    this.handlers.push(handler);
  }

  /**
   * Adds a task for a registration by an address alone that an account holds already. It gets that account, locked.
   */
  onHeldAddress(handler: RegistrationHandler): void {
    this.holderHandlers.push(handler);
  }

  /** Runs the tasks for a new user, in the transaction that stores the user. */
  async tellRegistered(manager: EntityManager, user: User, locale?: string): Promise<void> {
    for (const handler of this.handlers) await handler(manager, user, locale);
  }

  /** Runs the tasks of {@link onHeldAddress}. */
  async tellHolder(manager: EntityManager, holder: User, locale?: string): Promise<void> {
    for (const handler of this.holderHandlers) await handler(manager, holder, locale);
  }

  /**
   * Registers a user. If another account holds the address, the answer is the same as if none did (see
   * `AddressClaimsService`).
   *
   * @param locale the request's `Accept-Language`
   * @throws ApiError weak_password with the reason, username_taken, missing_parameter (the e-mail
   *   address, if the settings require one), overloaded, unavailable
   */
  async register(
    { username, password, email, ...profile }: RegisterBody,
    locale?: string,
    options?: HashOptions,
  ): Promise<User> {
    if (this.config.requireVerifiedEmail && email.email === null) {
      throw new ApiError('missing_parameter', { msg: 'Missing email parameter', field: 'email' });
    }
    const owner = { username: username.username, email: email.email ?? undefined };
    const passwordHash = await this.newPasswords.hash(password, owner, options);
    return this.users.create(
      { ...username, ...email, ...profile, passwordHash },
      (manager, user) => this.tellRegistered(manager, user, locale),
      { registered: true },
    );
  }
}
