import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { prepareEmail } from './email.js';
import { User } from './user.entity.js';
import { ADMIN } from './last-admin.js';
import { addRoles, UserRole } from './user-role.entity.js';
import { readUsername } from './username.js';
import { UsernameClaims } from './username-claims.js';

/** The values of a new user. The keys are the unique forms of name and address. */
export type NewUser = Pick<
  User,
  'username' | 'usernameKey' | 'email' | 'emailKey' | 'passwordHash'
> &
  Partial<Pick<User, 'roles' | 'emailVerifiedAt' | 'displayName' | 'locale'>>;

/** How a user is made; see {@link UsersService.create}. */
interface Creation {
  /** Whether users registered themselves. */
  registered?: boolean;
  /**
   * Whether to refuse the user if another account holds the address. Otherwise the user is stored without the
   * key.
   */
  holdsAddress?: boolean;
  /** Takes the address from an unverified holder, or throws. */
  vacate?: (manager: EntityManager, emailKey: string) => Promise<void>;
}

/** Stores and finds users. */
@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly database: Database,
    private readonly events: EventsService,
    private readonly claims: UsernameClaims,
  ) {}

  /**
   * Stores a new user. `also` runs in the same transaction. If another account holds the address, this one
   * has it without its key (see `AddressClaimsService`), or is refused if `holdsAddress` is set. Unique keys decide,
   * and no earlier lookup.
   *
   * @throws ApiError username_taken, email_taken
   */
  async create(
    values: NewUser,
    also?: (manager: EntityManager, user: User) => Promise<void>,
    { registered = false, holdsAddress = false, vacate }: Creation = {},
  ): Promise<User> {
    const now = clock.date();
    const user = this.users.create({
      roles: [],
      emailVerifiedAt: null,
      displayName: null,
      locale: null,
      ...values,
      id: randomUUID(),
      tokenVersion: 0,
      disabledAt: null,
      disabledUntil: null,
      disabledReason: null,
      createdAt: now,
      updatedAt: now,
    });
    for (;;) {
      try {
        return await this.database.transaction(async (manager) => {
          const { emailKey } = values;
          if (emailKey !== null) await vacate?.(manager, emailKey);
          const isHeld =
            !holdsAddress && emailKey !== null && (await manager.existsBy(User, { emailKey }));
          user.emailKey = isHeld ? null : emailKey;
          await manager.insert(User, user);
          await this.claims.take(manager, user);
          await addRoles(manager, [user]);
          await this.events.publish(manager, { type: 'user.created', userId: user.id, registered });
          await also?.(manager, user);
          return user;
        });
      } catch (error) {
        const index = violatedUniqueIndex(error);
        if (index?.includes('username_key')) throw new ApiError('username_taken');
        // Another user took the address at the same moment. The next turn sees that it is held.
        if (!index?.includes('email_key')) throw error;
        if (holdsAddress && !vacate) throw new ApiError('email_taken');
      }
    }
  }

  findById(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /** Finds a user by username or e-mail address, as typed at a login; null if `login` can be neither. */
  async findByLogin(login: string): Promise<User | null> {
    const where = keyOfLogin(login);
    return where ? this.users.findOneBy(where) : null;
  }

  /**
   * Like {@link findByLogin}, but loads only the id. Building a full User takes measurably longer than
   * finding none, and would reveal that the account exists.
   */
  async findIdByLogin(login: string): Promise<string | undefined> {
    const where = keyOfLogin(login);
    const select = { id: true } as const;
    const user = where && (await this.users.findOne({ where, select }));
    return user?.id;
  }

  /** Tells whether a user has the role `admin`, even one that may not sign in. */
  hasAdmin(): Promise<boolean> {
    return this.users.manager.existsBy(UserRole, { role: ADMIN });
  }

  /** Replaces a hash by a better one of the same password, unless the password has changed meanwhile. */
  async renewHash(user: User, passwordHash: string): Promise<void> {
    const unchanged = { id: user.id, passwordHash: user.passwordHash };
    await this.database.write((manager) => manager.update(User, unchanged, { passwordHash }));
  }
}

/** Returns the lookup key for a login: the username key, or else the e-mail key. */
function keyOfLogin(login: string): { usernameKey: string } | { emailKey: string } | undefined {
  const username = readUsername(login);
  if (username.ok) return { usernameKey: username.key };
  const email = prepareEmail(login);
  return email.ok ? { emailKey: email.key } : undefined;
}
