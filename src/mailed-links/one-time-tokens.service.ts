import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, MoreThan, type Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { sha256 } from '../common/digest.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { CodeAttempts } from './code-attempts.js';
import type { TokenRules } from './declaration.js';
import type { LinkOrCode } from './link-or-code.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeToken } from './one-time-token.entity.js';

/** The key of a token that is about to be used, and the code of the error if it is not valid. */
export interface TokenKey {
  tokenHash: string;
  refusal: 'link_invalid' | 'code_invalid';
}

/** A token that was just used. */
export interface UsedToken {
  /** The user, locked until the transaction ends. */
  user: User;
  payload: OneTimeToken['payload'];
  createdAt: Date;
}

/** Stores and checks the tokens and codes of mailed links. The rules of each purpose come from its declaration. */
@Injectable()
export class OneTimeTokensService {
  constructor(
    @InjectRepository(OneTimeToken) private readonly tokens: Repository<OneTimeToken>,
    private readonly database: Database,
    private readonly codes: OneTimeCodes,
    private readonly attempts: CodeAttempts,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Cleaning one-time tokens', () => this.clean());
  }

  /**
   * Makes a token for `user`. The statement that stores it also ends the older token of the purpose. If the
   * purpose keeps older tokens, `user` has to be locked: the new token gets a later time than the older ones,
   * even if the clocks of two instances differ.
   *
   * @returns the token with its key, and the code (empty if the purpose has none); only hashes are stored
   */
  async issue(
    manager: EntityManager,
    user: User,
    rules: TokenRules,
    payload: OneTimeToken['payload'],
  ): Promise<{ token: string; tokenHash: string; code: string }> {
    const { purpose, lifetime, keepsOlder } = rules;
    const token = randomBytes(32).toString('base64url');
    const tokenHash = sha256(token);
    const made = rules.code ? this.codes.make(tokenHash) : { code: '', mac: null };
    const now = clock.now();
    const values = {
      tokenHash,
      userId: user.id,
      purpose,
      slot: keepsOlder ? randomUUID() : '',
      codeMac: made.mac,
      codeAttempts: 0,
      guard: guardOf(user, rules),
      payload,
      createdAt: keepsOlder ? await afterNewest(manager, user, purpose, now) : new Date(now),
      expiresAt: new Date(now + lifetime * 1000),
      usedAt: null,
    };
    await manager.upsert(OneTimeToken, values, ['userId', 'purpose', 'slot']);
    return { token, tokenHash, code: made.code };
  }

  /**
   * Returns the key of the token that a user sent. A code is counted as an attempt, so call this once for each
   * request, and outside of any transaction.
   *
   * @throws ApiError code_invalid
   */
  async keyOf(given: LinkOrCode, { purpose }: TokenRules): Promise<TokenKey> {
    if ('token' in given) return { tokenHash: sha256(given.token), refusal: 'link_invalid' };
    const tokenHash = await this.attempts.hashOf(given.userId, purpose, given.code);
    if (tokenHash === undefined) throw new ApiError('code_invalid');
    return { tokenHash, refusal: 'code_invalid' };
  }

  /** Returns the user of a token that is still valid, and does not use it. @throws ApiError as {@link use} */
  async userOf({ tokenHash, refusal }: TokenKey, rules: TokenRules): Promise<User> {
    const { purpose } = rules;
    const token = await this.tokens.findOne({
      where: { tokenHash, purpose, usedAt: IsNull(), expiresAt: MoreThan(clock.date()) },
      relations: { user: true },
    });
    if (!token?.user || token.guard !== guardOf(token.user, rules)) throw new ApiError(refusal);
    return token.user;
  }

  /**
   * Marks a token as used, in the transaction of `manager`. Of many requests at once, one succeeds. The caller
   * has to let an error roll the transaction back: then the token stays valid.
   *
   * @throws ApiError link_invalid or code_invalid: the same for a token that is unknown, expired, used,
   *   replaced, for another purpose, or made before a value that it guards changed
   */
  async use(
    manager: EntityManager,
    { tokenHash, refusal }: TokenKey,
    rules: TokenRules,
  ): Promise<UsedToken> {
    const { purpose } = rules;
    const token = await manager.findOneBy(OneTimeToken, { tokenHash, purpose });
    // The user is locked before the tokens, in the same order as by a deletion and by a newer token.
    const user = token && (await lockUser(manager, token.userId));
    if (!user) throw new ApiError(refusal);
    const used = await manager
      .createQueryBuilder()
      .update(OneTimeToken)
      .set({ usedAt: clock.date() })
      .where('token_hash = :tokenHash AND purpose = :purpose', { tokenHash, purpose })
      .andWhere('used_at IS NULL AND expires_at > :now', { now: clock.now() })
      .execute();
    if (used.affected !== 1) throw new ApiError(refusal);
    const { guard, payload, createdAt } = token;
    if (guard !== guardOf(user, rules)) throw new ApiError(refusal);
    return { user, payload, createdAt };
  }

  /** Ends all unused tokens of a user, except those of `purpose` that were made before `createdAt`. */
  async endSince(
    manager: EntityManager,
    userId: string,
    purpose: string,
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

  /** Deletes expired tokens. */
  async clean(): Promise<void> {
    await this.database.deleteAll(OneTimeToken, 'expires_at < :now', { now: clock.now() });
  }
}

/** Returns `now`, or a time just after the user's newest token of `purpose`, which another clock may have set. */
async function afterNewest(
  manager: EntityManager,
  { id: userId }: User,
  purpose: string,
  now: number,
): Promise<Date> {
  const order = { createdAt: 'DESC' } as const;
  const newest = await manager.findOne(OneTimeToken, { where: { userId, purpose }, order });
  return new Date(Math.max(now, (newest?.createdAt.getTime() ?? 0) + 1));
}

const guardOf = (user: User, { guard }: TokenRules): string => sha256(JSON.stringify(guard(user)));
