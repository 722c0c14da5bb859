import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type ObjectLiteral, type Repository, type SelectQueryBuilder } from 'typeorm';
import { emailPrefix } from './email.js';
import {
  HAS_FACTOR,
  HAS_NO_FACTOR,
  isDisabled,
  IS_DISABLED,
  IS_UNVERIFIED,
  User,
} from './user.entity.js';
import {
  badCursor,
  type KeyPosition,
  type ListPosition,
  readCursor,
  type TimePosition,
  timePositionOf,
  writeCursor,
} from '../common/list-cursor.js';
import { UserRole } from './user-role.entity.js';
import { usernamePrefix } from './username.js';

/** The states for a search: the user may sign in, may not sign in now, or has an unverified address. */
export const USER_STATES = ['active', 'disabled', 'unverified'] as const;

/** Whether a user has a second factor, for a search. */
export const MFA_STATES = ['none', 'any'] as const;

/** The conditions of a search. */
export interface UserFilter {
  /** The beginning of the name or the address, ignoring case. */
  prefix?: string;
  role?: string;
  state?: (typeof USER_STATES)[number];
  mfa?: (typeof MFA_STATES)[number];
  /** The user was made at this time or later. */
  createdAfter?: Date;
  /** The user was made before this time. */
  createdBefore?: Date;
}

/** Some users, and the cursor for the next page; null after the last page. */
export interface UserPage {
  users: User[];
  next: string | null;
}

/**
 * The number of users that one page reads. One filter selects them by an index, the others choose among them.
 * If few of very many users match, a page may be short or empty and still have a next one.
 */
const MAX_EXAMINED = 1_000;

/** A user that may match (undefined: does not match), and its place in the order. */
type Candidate<P extends ListPosition = ListPosition> = [User | undefined, P];

/** Users that are read at once where the first ones were not enough. */
const USERS_PER_READ = 250;

/** Above every character of a key. */
const LAST = '\u{10FFFF}';

/**
 * Finds users, the newest first. With a prefix it finds them by name and then by address. The time of a page
 * depends neither on the number of users nor on the number of the page, because each page begins in an index
 * at its cursor.
 */
@Injectable()
export class UserSearchService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    @InjectRepository(UserRole) private readonly holders: Repository<UserRole>,
  ) {}

  /**
   * Returns up to `limit` users after `cursor`, which is a `next` of the same filter.
   *
   * @throws ApiError invalid_parameter for any other cursor
   */
  async page(filter: UserFilter, cursor: string | undefined, limit: number): Promise<UserPage> {
    const from = cursor === undefined ? undefined : readCursor(cursor);
    const users: User[] = [];
    let examined = 0;
    let last: ListPosition | undefined;
    for await (const [user, position] of this.candidates(filter, from, limit + 1)) {
      // A full page still looks for one more user, with which the next page begins.
      const isFull = users.length === limit;
      const isMeant = user !== undefined && meets(user, filter);
      if (last && (examined === MAX_EXAMINED || (isFull && isMeant))) {
        return { users, next: writeCursor(last) };
      }
      if (isMeant) users.push(user);
      examined++;
      last = position;
    }
    return { users, next: null };
  }

  /** Yields the users that one of the filters finds, in order: `first` users, and then batches. */
  private async *candidates(
    filter: UserFilter,
    from: ListPosition | undefined,
    first: number,
  ): AsyncGenerator<Candidate> {
    const { prefix } = filter;
    if (prefix === undefined) {
      if (from && from[0] !== 'time') throw badCursor();
      yield* inBatches(from, first, (after, count) =>
        filter.role === undefined
          ? this.byTime(filter, after, count)
          : this.byRole(filter, after, count),
      );
      return;
    }
    if (from?.[0] === 'time') throw badCursor();
    const name = usernamePrefix(prefix);
    if (from?.[0] !== 'address') {
      yield* inBatches(from, first, (after, count) => this.byKey('name', name, after, count));
      from = undefined;
    }
    const address = emailPrefix(prefix);
    const byAddress = inBatches(from, first, (after, count) =>
      this.byKey('address', address, after, count),
    );
    for await (const [user, position] of byAddress) {
      const isNamed = user?.usernameKey.startsWith(name);
      yield [isNamed ? undefined : user, position];
    }
  }

  private async byKey(
    kind: KeyPosition[0],
    start: string,
    after: KeyPosition | undefined,
    count: number,
  ): Promise<Candidate<KeyPosition>[]> {
    const key = kind === 'name' ? 'usernameKey' : 'emailKey';
    // With a second lower bound SQLite would begin at either.
    if (after && !after[1].startsWith(start)) throw badCursor();
    const users = await this.users
      .createQueryBuilder('u')
      .where(`u.${key} ${after ? '>' : '>='} :from`, { from: after?.[1] ?? start })
      .andWhere(`u.${key} < :end`, { end: start + LAST })
      .orderBy(`u.${key}`)
      .limit(count)
      .getMany();
    return users.map((user) => [user, [kind, user[key] ?? '']]);
  }

  private async byTime(
    filter: UserFilter,
    after: TimePosition | undefined,
    count: number,
  ): Promise<Candidate<TimePosition>[]> {
    const query = newest(this.users.createQueryBuilder('u'), 'u.id', filter, after, count);
    if (filter.state === 'disabled') query.andWhere(IS_DISABLED);
    if (filter.state === 'unverified') query.andWhere(IS_UNVERIFIED);
    if (filter.mfa) query.andWhere(filter.mfa === 'any' ? HAS_FACTOR : HAS_NO_FACTOR);
    return (await query.getMany()).map((user) => [user, timePositionOf(user)]);
  }

  private async byRole(
    filter: UserFilter,
    after: TimePosition | undefined,
    count: number,
  ): Promise<Candidate<TimePosition>[]> {
    const query = newest(this.holders.createQueryBuilder('u'), 'u.userId', filter, after, count);
    const holders = await query.andWhere('u.role = :role', { role: filter.role }).getMany();
    const users = await this.users.findBy({ id: In(holders.map(({ userId }) => userId)) });
    const byId = new Map(users.map((user) => [user.id, user]));
    return holders.map(({ createdAt, userId }) => [
      byId.get(userId),
      timePositionOf({ createdAt, id: userId }),
    ]);
  }
}

/** Yields batches until there are no more. */
async function* inBatches<P extends ListPosition>(
  from: P | undefined,
  first: number,
  read: (after: P | undefined, count: number) => Promise<Candidate<P>[]>,
): AsyncGenerator<Candidate<P>> {
  let after = from;
  for (let count = first; ; count = Math.max(first, USERS_PER_READ)) {
    const batch = await read(after, count);
    yield* batch;
    after = batch.at(-1)?.[1];
    if (batch.length < count) return;
  }
}

/** Returns a query for the newest rows first, within the times of `filter`, after a position. */
function newest<T extends ObjectLiteral>(
  query: SelectQueryBuilder<T>,
  id: string,
  { createdAfter, createdBefore }: UserFilter,
  after: TimePosition | undefined,
  count: number,
): SelectQueryBuilder<T> {
  if (createdAfter) query.andWhere('u.createdAt >= :since', { since: createdAfter.getTime() });
  if (after) {
    const [, at, lastId] = after;
    // With a second upper bound SQLite would begin at either.
    if (createdBefore && at >= createdBefore.getTime()) throw badCursor();
    query.andWhere(`(u.createdAt, ${id}) < (:at, :lastId)`, { at, lastId });
  } else if (createdBefore) {
    query.andWhere('u.createdAt < :before', { before: createdBefore.getTime() });
  }
  return query.orderBy('u.createdAt', 'DESC').addOrderBy(id, 'DESC').limit(count);
}

/** Tells whether a user meets all conditions of `filter` except the prefix. */
function meets(user: User, filter: UserFilter): boolean {
  const { role, state, mfa, createdAfter, createdBefore } = filter;
  const { roles, createdAt, emailKey, emailVerifiedAt, secondFactorSince } = user;
  const states = {
    active: () => !isDisabled(user),
    disabled: () => isDisabled(user),
    unverified: () => emailKey !== null && emailVerifiedAt === null,
  };
  return (
    (role === undefined || roles.includes(role)) &&
    (state === undefined || states[state]()) &&
    (mfa === undefined || (mfa === 'any') === (secondFactorSince !== null)) &&
    (createdAfter === undefined || createdAt >= createdAfter) &&
    (createdBefore === undefined || createdAt < createdBefore)
  );
}
