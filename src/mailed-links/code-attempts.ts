import { randomInt, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeToken } from './one-time-token.entity.js';

/** How often a code may be tried. */
const MAX_ATTEMPTS = 5;

/** Rows of `code_misses`. With this many, two attempts at once hardly ever wait for the same row. */
const MISS_ROWS = 64;

type Place = Pick<OneTimeToken, 'userId' | 'purpose' | 'slot'>;

/** Counts attempts at codes, and judges them. */
@Injectable()
export class CodeAttempts {
  constructor(
    @InjectRepository(OneTimeToken) private readonly tokens: Repository<OneTimeToken>,
    private readonly database: Database,
    private readonly codes: OneTimeCodes,
  ) {}

  /**
   * Returns the hash of the token that a typed code stands for, or undefined if the code is wrong. The attempt
   * is counted before it is judged. Takes the same time for an account without a code, and without a user.
   */
  async hashOf(
    userId: string = randomUUID(),
    purpose: string,
    code: string,
  ): Promise<string | undefined> {
    const place = { userId, purpose, slot: '' };
    const isLive = await this.database.transaction((manager) => this.count(manager, place));
    // Building a full row takes measurably longer than finding none, so only two columns are read.
    const select = { tokenHash: true, codeMac: true } as const;
    const token = await this.tokens.findOne({ where: place, select });
    const { tokenHash = '', codeMac } = token ?? {};
    const isRight = this.codes.matches(code, tokenHash, codeMac ?? '');
    return isLive && isRight ? tokenHash : undefined;
  }

  /**
   * Counts an attempt in a transaction of its own, so neither requests at once nor a rollback get more
   * attempts. If there is no live code, a row of `code_misses` counts it. Both cases run the same statements
   * and write one row, so the time does not reveal whether there is a code.
   *
   * @returns whether there is a live code
   */
  private async count(manager: EntityManager, place: Place): Promise<boolean> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(OneTimeToken)
      .set({ codeAttempts: () => 'code_attempts + 1' })
      .where('user_id = :userId AND purpose = :purpose AND slot = :slot', place)
      .andWhere('code_attempts < :limit AND code_mac IS NOT NULL', { limit: MAX_ATTEMPTS })
      .andWhere('used_at IS NULL AND expires_at > :now', { now: clock.now() })
      .execute();
    const isLive = affected === 1;
    await manager.query(
      `INSERT INTO code_misses (slot, misses)
         SELECT CAST($1 AS integer), 1 WHERE CAST($2 AS integer) = 0
         ON CONFLICT (slot) DO UPDATE SET misses = code_misses.misses + 1`,
      [randomInt(MISS_ROWS), Number(isLive)],
    );
    return isLive;
  }
}
