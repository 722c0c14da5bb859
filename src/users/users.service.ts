import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import type { Config } from '../config/config.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { prepareEmail } from './email.js';
import { isNameless } from './nameless.js';
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

/** How people sign in. */
type Identifier = Config['identifier'];

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
    const user = this.newUser(values);
    const mustHold = holdsAddress || isNameless(values);
    for (;;) {
      try {
        return await this.database.transaction(async (manager) => {
          const { emailKey } = values;
          if (emailKey !== null) await vacate?.(manager, emailKey);
          const isHeld =
            !mustHold && emailKey !== null && (await manager.existsBy(User, { emailKey }));
          user.emailKey = isHeld ? null : emailKey;
          await this.store(manager, user, registered);
          await also?.(manager, user);
          return user;
        });
      } catch (error) {
        const index = violatedUniqueIndex(error);
        if (index?.includes('username_key') && !isNameless(user)) {
          throw new ApiError('username_taken');
        }
        // Another user took the address at the same moment. The next turn sees that it is held.
        if (!/email_key|username_key/.test(index ?? '')) throw error;
        if (mustHold && !vacate) throw new ApiError('email_taken');
      }
    }
  }

  /**
   * Stores a user that has registered by an address alone, in the transaction of `manager`, which has found that the
   * address is free.
   */
  async register(manager: EntityManager, values: NewUser): Promise<User> {
    const user = this.newUser(values);
    await this.store(manager, user, true);
    return user;
  }

  findById(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /**
   * Finds a user by username or e-mail address, as typed at a login; null if `login` can be neither.
   *
   * @param by which of the two counts
   */
  async findByLogin(login: string, by: Identifier = 'both'): Promise<User | null> {
    const where = keyOfLogin(login, by);
    return where ? this.users.findOneBy(where) : null;
  }

  /**
   * Like {@link findByLogin}, but loads only the id. Building a full User takes measurably longer than
   * finding none, and would reveal that the account exists.
   */
  async findIdByLogin(login: string, by: Identifier = 'both'): Promise<string | undefined> {
    const where = keyOfLogin(login, by);
    const select = { id: true } as const;
    const user = where && (await this.users.findOne({ where, select }));
    return user?.id;
  }

  /** Tells whether a user has the role `admin`, even one that may not sign in. */
  hasAdmin(): Promise<boolean> {
    return this.users.manager.existsBy(UserRole, { role: ADMIN });
  }

  private newUser(values: NewUser): User {
    const now = clock.date();
    return this.users.create({
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
  }

  private async store(manager: EntityManager, user: User, registered: boolean): Promise<void> {
    await manager.insert(User, user);
    await this.claims.take(manager, user);
    await addRoles(manager, [user]);
    await this.events.publish(manager, { type: 'user.created', userId: user.id, registered });
  }

  /** Replaces a hash by a better one of the same password, unless the password has changed meanwhile. */
  async renewHash(user: User, passwordHash: string): Promise<void> {
    const unchanged = { id: user.id, passwordHash: user.passwordHash };
    await this.database.write((manager) => manager.update(User, unchanged, { passwordHash }));
  }
}

/** Returns the lookup key for a login: the username key, or else the e-mail key. */
function keyOfLogin(
  login: string,
  by: Identifier,
): { usernameKey: string } | { emailKey: string } | undefined {
  const username = readUsername(login);
  if (username.ok) return by === 'email' ? undefined : { usernameKey: username.key };
  const email = prepareEmail(login);
  return email.ok && by !== 'username' ? { emailKey: email.key } : undefined;
}
