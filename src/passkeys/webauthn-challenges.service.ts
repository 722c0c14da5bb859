import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Database } from '../database/database.js';
import { type Ceremony, WebauthnChallenge } from './webauthn-challenge.entity.js';

/** The lifetime of a challenge, in milliseconds. */
export const LIFETIME = 300_000;

/** The challenges that authenticators sign. Every instance accepts each of them once. */
@Injectable()
export class WebauthnChallengesService {
  constructor(
    private readonly database: Database,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Cleaning passkey challenges', () => this.clean());
  }

  /** Removes expired challenges. Returns their number. */
  clean(): Promise<number> {
    return this.database.deleteAll(WebauthnChallenge, 'expires_at < :now', { now: clock.now() });
  }

  /** Returns a new challenge for one user, or for any. */
  async make(ceremony: Ceremony, userId: string | null, manager?: EntityManager): Promise<string> {
    const challenge = randomBytes(32).toString('base64url');
    const challengeHash = sha256(challenge);
    const row = { challengeHash, ceremony, userId, expiresAt: new Date(clock.now() + LIFETIME) };
    if (manager) await manager.insert(WebauthnChallenge, row);
    else await this.database.write((one) => one.insert(WebauthnChallenge, row));
    return challenge;
  }

  /**
   * Uses a challenge up, in the transaction that acts on its answer. Of many requests at once, one succeeds.
   *
   * @throws ApiError passkey_challenge_invalid, also for another ceremony or another user's challenge
   */
  async use(
    manager: EntityManager,
    challenge: string,
    ceremony: Ceremony,
    userId: string,
  ): Promise<void> {
    const { affected } = await manager
      .createQueryBuilder()
      .delete()
      .from(WebauthnChallenge)
      .where('challenge_hash = :hash', { hash: sha256(challenge) })
      .andWhere('ceremony = :ceremony AND expires_at > :now', { ceremony, now: clock.now() })
      .andWhere('(user_id IS NULL OR user_id = :userId)', { userId })
      .execute();
    if (affected !== 1) throw new ApiError('passkey_challenge_invalid');
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
