import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, MoreThan, type Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { skeletonOf } from '../common/look-alikes.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Database } from '../database/database.js';
import { isNameless } from './nameless.js';
import { User } from './user.entity.js';
import { UsernameClaim } from './username-claim.entity.js';

const DAY = 86_400_000;

/** How long a name stays reserved for its former holder. */
const RESERVED = 30 * DAY;

/** The most former names of one user. It keeps a user from reserving many names by taking them in turn. */
const MAX_FORMER_NAMES = 10;

type Named = Pick<User, 'id' | 'usernameKey'>;

/**
 * Gives names to users. A name is taken if it looks like that of another user (UTS 39). It is also taken if
 * it looks like one that another user gave up in the last 30 days, because other services may still accept
 * the name for that user.
 */
@Injectable()
export class UsernameClaims {
  constructor(
    private readonly database: Database,
    @InjectRepository(UsernameClaim) private readonly claims: Repository<UsernameClaim>,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Freeing former usernames', () => this.clean());
  }

  /**
   * Gives a stored user its name.
   *
   * @throws ApiError username_taken
   */
  async take(manager: EntityManager, user: Named): Promise<void> {
    const taken = await this.takeAll(manager, [user]);
    if (taken.size === 0) throw new ApiError('username_taken');
  }

  /**
   * Gives stored users their names, by one statement. If two names look alike, the first user gets it. An address
   * in place of a name needs no claim: another address that looks alike is another mailbox.
   *
   * @returns the ids of the users that have their names now
   */
  async takeAll(manager: EntityManager, users: Named[]): Promise<Set<string>> {
    const wanted = new Map<string, string>();
    const addresses = users.filter(isNameless).map(({ id }) => id);
    for (const { id, usernameKey } of users.filter((user) => !isNameless(user))) {
      const skeleton = skeletonOf(usernameKey);
      if (!wanted.has(skeleton)) wanted.set(skeleton, id);
    }
    if (wanted.size === 0) return new Set(addresses);
    const parameters = [...[...wanted].flat(), clock.now()];
    const rows = [...wanted.keys()].map((_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join(', ');
    // SQLite numbers parameters in their order. TypeORM's driver for SQLite returns no rows of a statement
    // that begins with INSERT.
    const taken = await manager.query<{ user_id: string }[]>(
      `WITH wanted (skeleton, user_id) AS (VALUES ${rows})
       INSERT INTO username_claims (skeleton, user_id, reserved_until)
         SELECT skeleton, user_id, NULL FROM wanted WHERE true
         ON CONFLICT (skeleton) DO UPDATE
           SET user_id = excluded.user_id, reserved_until = NULL
           WHERE username_claims.user_id = excluded.user_id
             OR username_claims.reserved_until <= CAST($${parameters.length} AS bigint)
         RETURNING user_id`,
      parameters,
    );
    return new Set([...addresses, ...taken.map(({ user_id: id }) => id)]);
  }

  /** Returns the skeletons of taken or reserved names, among the skeletons of `keys`. */
  async takenAmong(keys: readonly string[]): Promise<string[]> {
    const skeletons = [...new Set(keys.map(skeletonOf))];
    if (skeletons.length === 0) return [];
    const found = await this.claims.findBy({ skeleton: In(skeletons) });
    const now = clock.now();
    return found
      .filter(({ reservedUntil }) => reservedUntil === null || reservedUntil.getTime() > now)
      .map(({ skeleton }) => skeleton);
  }

  /**
   * Gives a user another name, and reserves the present one.
   *
   * @param before the user as locked in the transaction of `manager`
   * @throws ApiError username_taken; too_many_requests for a user with many former names
   */
  async move(manager: EntityManager, before: Named, usernameKey: string): Promise<void> {
    const former = skeletonOf(before.usernameKey);
    if (!isNameless(before) && former !== skeletonOf(usernameKey))
      await this.reserve(manager, before.id, former);
    await this.take(manager, { id: before.id, usernameKey });
    await this.refuseMany(manager, before.id);
  }

  /** Frees the former names whose reservation has ended. */
  async clean(): Promise<void> {
    await this.database.deleteAll(UsernameClaim, 'reserved_until <= :now', { now: clock.now() });
  }

  /** Reserves a name for its former holder, even without an earlier claim. Another user's claim stays. */
  private async reserve(manager: EntityManager, userId: string, skeleton: string): Promise<void> {
    await manager.query(
      `INSERT INTO username_claims (skeleton, user_id, reserved_until)
         VALUES ($1, $2, $3)
         ON CONFLICT (skeleton) DO UPDATE SET reserved_until = excluded.reserved_until
           WHERE username_claims.user_id = excluded.user_id`,
      [skeleton, userId, clock.now() + RESERVED],
    );
  }

  private async refuseMany(manager: EntityManager, userId: string): Promise<void> {
    const now = clock.now();
    const former = await manager.find(UsernameClaim, {
      where: { userId, reservedUntil: MoreThan(new Date(now)) },
      order: { reservedUntil: 'ASC' },
    });
    const [first] = former;
    if (former.length <= MAX_FORMER_NAMES) return;
    const left = (first?.reservedUntil?.getTime() ?? now) - now;
    const seconds = Math.max(1, Math.ceil(left / 1000));
    throw new ApiError('too_many_requests', {
      msg: `A user may give up ${MAX_FORMER_NAMES} names in 30 days`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
