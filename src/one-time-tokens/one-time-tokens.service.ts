import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, MoreThan, type Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { Recurring } from '../common/recurring.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeToken } from './one-time-token.entity.js';
import { ONE_TIME_PURPOSES, type OneTimePayloads, type OneTimePurpose } from './purposes.js';

/** How often a code may be tried. */
const CODE_ATTEMPTS = 5;

/** Rows of `code_misses`: so many that of tries at once hardly two wait for the same one. */
const MISS_SLOTS = 64;

const DAY = 86_400_000;
/** For servers that never run for a whole day. */
const FIRST_CLEANING = 60_000;

/** What a user comes with: the token of a link, or the code and whose it is (undefined: nobody's). */
export type Presented = { token: string } | { userId: string | undefined; code: string };

/** What was presented, found; the code of the refusal where it is not good. */
export interface Located {
  tokenHash: string;
  code: 'link_invalid' | 'code_invalid';
}

/** What a token is used for; `user` is as locked, `createdAt` says when the token was made. */
export type RedeemWork<P extends OneTimePurpose, T> = (
  manager: EntityManager,
  user: User,
  payload: OneTimePayloads[P],
  createdAt: Date,
) => Promise<T>;

/** A token that was just made; only its hash is kept. */
export interface Issued {
  token: string;
  /** Eight digits; empty where the purpose has none. */
  code: string;
  /** Seconds. */
  expiresIn: number;
}

/** Links and codes that are mailed and do one thing once (see `purposes.ts`). */
@Injectable()
export class OneTimeTokens implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(OneTimeTokens.name);
  private readonly cleaning = new Recurring(
    'Cleaning one-time tokens',
    DAY,
    () => this.clean(),
    this.logger,
  );

  constructor(
    @InjectRepository(OneTimeToken) private readonly tokens: Repository<OneTimeToken>,
    private readonly database: Database,
    private readonly codes: OneTimeCodes,
  ) {}

  onApplicationBootstrap(): void {
    this.cleaning.start(FIRST_CLEANING);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.cleaning.stop();
  }

  /**
   * Makes a token for `user`, good while what its purpose guards stays as it is in `user`. It ends
   * the older one of the purpose, by the statement that stores it. Of a purpose whose tokens stay
   * alongside, `user` has to be locked: each is made later than those before it, whatever the clock of
   * the instance says.
   */
  async issue<P extends OneTimePurpose>(
    manager: EntityManager,
    user: User,
    purpose: P,
    payload: OneTimePayloads[P],
  ): Promise<Issued> {
    const rules = ONE_TIME_PURPOSES[purpose];
    const token = randomBytes(32).toString('base64url');
    const tokenHash = sha256(token);
    const made = rules.code ? this.codes.make(tokenHash) : { code: '', mac: null };
    const now = clock.now();
    const values = {
      tokenHash,
      userId: user.id,
      purpose,
      slot: rules.alongside ? randomUUID() : '',
      codeMac: made.mac,
      codeAttempts: 0,
      guard: guardOf(user, purpose),
      payload,
      createdAt: rules.alongside ? await afterNewest(manager, user, purpose, now) : new Date(now),
      expiresAt: new Date(now + rules.expiresIn * 1000),
      usedAt: null,
    };
    await manager.upsert(OneTimeToken, values, ['userId', 'purpose', 'slot']);
    return { token, code: made.code, expiresIn: rules.expiresIn };
  }

  /**
   * Uses a token or code: does `work` in one transaction with marking it as used, so that of many at
   * once one does, and with a failure of `work` it stays as it was. `user` is locked meanwhile on
   * PostgreSQL.
   *
   * @throws ApiError link_invalid, code_invalid: the same for one that is unknown, expired, used,
   *   replaced, for another purpose, tried too often, or made before what it guards changed
   */
  async redeem<P extends OneTimePurpose, T>(
    presented: Presented,
    purpose: P,
    work: RedeemWork<P, T>,
  ): Promise<T> {
    const located = await this.locate(presented, purpose);
    return this.database.transaction((manager) => this.redeemIn(manager, located, purpose, work));
  }

  /**
   * What is presented, to be looked at and redeemed. Counts a try of a code, so once for a request, and
   * outside of any transaction.
   *
   * @throws ApiError code_invalid
   */
  async locate(presented: Presented, purpose: OneTimePurpose): Promise<Located> {
    if ('token' in presented) return { tokenHash: sha256(presented.token), code: 'link_invalid' };
    const tokenHash = await this.hashOfCode(presented.userId, purpose, presented.code);
    if (tokenHash === undefined) throw new ApiError('code_invalid');
    return { tokenHash, code: 'code_invalid' };
  }

  /**
   * Whose token it is, where it could be redeemed now; it is left as it is.
   *
   * @throws ApiError as {@link redeem}
   */
  async look({ tokenHash, code }: Located, purpose: OneTimePurpose): Promise<User> {
    const token = await this.tokens.findOne({
      where: { tokenHash, purpose, usedAt: IsNull(), expiresAt: MoreThan(clock.date()) },
      relations: { user: true },
    });
    if (!token?.user || token.guard !== guardOf(token.user, purpose)) throw new ApiError(code);
    return token.user;
  }

  /** As {@link redeem}, in the transaction of `manager`, which has to be rolled back where it throws. */
  async redeemIn<P extends OneTimePurpose, T>(
    manager: EntityManager,
    { tokenHash, code }: Located,
    purpose: P,
    work: RedeemWork<P, T>,
  ): Promise<T> {
    const token = await manager.findOneBy(OneTimeToken, { tokenHash, purpose });
    // Locks go in one order, the user before its tokens: as a deletion, and a newer token, take them.
    const user = token && (await lockUser(manager, token.userId));
    if (!user) throw new ApiError(code);
    const used = await manager
      .createQueryBuilder()
      .update(OneTimeToken)
      .set({ usedAt: clock.date() })
      .where('token_hash = :tokenHash AND purpose = :purpose', { tokenHash, purpose })
      .andWhere('used_at IS NULL AND expires_at > :now', { now: clock.now() })
      .execute();
    if (used.affected !== 1) throw new ApiError(code);
    const { guard, payload, createdAt } = token;
    if (guard !== guardOf(user, purpose)) throw new ApiError(code);
    return work(manager, user, payload as OneTimePayloads[P], createdAt);
  }

  /** Ends all unused tokens of a user but those of `purpose` that were made before `createdAt`. */
  async endSince(
    manager: EntityManager,
    userId: string,
    purpose: OneTimePurpose,
    createdAt: Date,
  ): Promise<void> {
    await manager
      .createQueryBuilder()
      .delete()
      .from(OneTimeToken)
      .where('user_id = :userId AND used_at IS NULL', { userId })
      .andWhere('(purpose <> :purpose OR created_at >= :since)', {
        purpose,
        since: createdAt.getTime(),
      })
      .execute();
  }

  /** The hash of the token that `code` stands for. The try is counted first. */
  private async hashOfCode(
    userId: string = randomUUID(),
    purpose: OneTimePurpose,
    code: string,
  ): Promise<string | undefined> {
    const place = { userId, purpose, slot: '' };
    const counted = await this.database.transaction((manager) => this.countTry(manager, place));
    // What is made of a row takes time, and tells that there is one: so the less of it.
    const select = { tokenHash: true, codeMac: true } as const;
    const token = await this.tokens.findOne({ where: place, select });
    const { tokenHash = '', codeMac } = token ?? {};
    const right = this.codes.matches(code, tokenHash, codeMac ?? '');
    return counted && right ? tokenHash : undefined;
  }

  /**
   * Counts a try, in a transaction of its own, so that neither many at once nor a rollback get more
   * tries. Where there is no live code, the try is counted elsewhere: either way the same statements are
   * run and one row is written, so that the time tells nothing.
   *
   * @returns whether there is a live code
   */
  private async countTry(
    manager: EntityManager,
    place: Pick<OneTimeToken, 'userId' | 'purpose' | 'slot'>,
  ): Promise<boolean> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(OneTimeToken)
      .set({ codeAttempts: () => 'code_attempts + 1' })
      .where('user_id = :userId AND purpose = :purpose AND slot = :slot', place)
      .andWhere('code_attempts < :limit AND code_mac IS NOT NULL', { limit: CODE_ATTEMPTS })
      .andWhere('used_at IS NULL AND expires_at > :now', { now: clock.now() })
      .execute();
    const isLive = affected === 1;
    await manager.query(
      `INSERT INTO code_misses (slot, misses)
         SELECT CAST($1 AS integer), 1 WHERE CAST($2 AS integer) = 0
         ON CONFLICT (slot) DO UPDATE SET misses = code_misses.misses + 1`,
      [randomInt(MISS_SLOTS), Number(isLive)],
    );
    return isLive;
  }

  /** Forgets those that have expired. */
  async clean(): Promise<void> {
    await this.database.deleteAll(OneTimeToken, 'expires_at < :now', { now: clock.now() });
  }
}

/** `now`, or just after the user's newest token of `purpose`, which another's clock may have made. */
async function afterNewest(
  manager: EntityManager,
  { id: userId }: User,
  purpose: OneTimePurpose,
  now: number,
): Promise<Date> {
  const order = { createdAt: 'DESC' } as const;
  const newest = await manager.findOne(OneTimeToken, { where: { userId, purpose }, order });
  return new Date(Math.max(now, (newest?.createdAt.getTime() ?? 0) + 1));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

const guardOf = (user: User, purpose: OneTimePurpose): string =>
  sha256(JSON.stringify(ONE_TIME_PURPOSES[purpose].guard(user)));
