import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { sha256 } from '../common/digest.js';
import { RecurringService } from '../common/recurring-service.js';
import { Database, violatesForeignKey } from '../database/database.js';
import { type Ceremony, WebauthnChallenge } from './webauthn-challenge.entity.js';

/** The lifetime of a challenge, in milliseconds. */
export const LIFETIME = 300_000;

/** The time between two removals of expired challenges, in milliseconds. */
const INTERVAL = 600_000;

/**
 * The challenges that authenticators sign. Every instance accepts each of them once. Clients make them without a
 * sign-in, 60 a minute each, so a flood must not stay for a day.
 */
@Injectable()
export class WebauthnChallengesService extends RecurringService {
  constructor(private readonly database: Database) {
    super('Cleaning passkey challenges', INTERVAL);
  }

  protected override async work(): Promise<void> {
    await this.clean();
  }

  /** Removes expired challenges. Returns their number. */
  clean(): Promise<number> {
    return this.database.deleteAll(WebauthnChallenge, 'expires_at < :now', { now: clock.now() });
  }

  /**
   * Returns a new challenge for one user, or for any.
   *
   * @throws ApiError challenge_invalid if the user was deleted
   */
  async make(ceremony: Ceremony, userId: string | null, manager?: EntityManager): Promise<string> {
    const challenge = randomBytes(32).toString('base64url');
    const challengeHash = sha256(challenge);
    const row = { challengeHash, ceremony, userId, expiresAt: new Date(clock.now() + LIFETIME) };
    if (manager) await manager.insert(WebauthnChallenge, row);
    else await this.insert(row);
    return challenge;
  }

  private async insert(row: Omit<WebauthnChallenge, 'user'>): Promise<void> {
    try {
      await this.database.write((manager) => manager.insert(WebauthnChallenge, row));
    } catch (error) {
      if (violatesForeignKey(error)) throw new ApiError('challenge_invalid');
      throw error;
    }
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
