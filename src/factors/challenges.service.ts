import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, type Repository } from 'typeorm';
import { countAnswer } from '../auth/challenge-answers.js';
import { SecondFactorGate } from '../auth/second-factor-gate.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { sha256 } from '../common/digest.js';
import { Database, violatesForeignKey } from '../database/database.js';
import type { Assurance } from '../sessions/assurance.js';
import type { Origin } from '../sessions/session-start.service.js';
import type { User } from '../users/user.entity.js';
import { FactorKinds } from './factor-kinds.js';
import { SignInChallenge } from './sign-in-challenge.entity.js';

/** The lifetime of a challenge, in seconds. */
const LIFETIME = 600;

/** The challenges of sign-ins that wait for a second factor. Any instance can check the answer. */
@Injectable()
export class ChallengesService {
  constructor(
    @InjectRepository(SignInChallenge) private readonly challenges: Repository<SignInChallenge>,
    private readonly database: Database,
    private readonly kinds: FactorKinds,
    gate: SecondFactorGate,
    cleanup: DailyCleanup,
  ) {
    gate.use((user, proven, origin, manager) => this.make(user, proven, origin, manager));
    cleanup.add('Cleaning sign-in challenges', async () => {
      await this.database.deleteAll(SignInChallenge, 'expires_at < :now', { now: clock.now() });
    });
  }

  /** Makes a challenge. Returns undefined if the user was deleted meanwhile. */
  private async make(
    user: User,
    { amr }: Assurance,
    { browser }: Pick<Origin, 'browser'>,
    manager?: EntityManager,
  ) {
    const challenge = randomBytes(32).toString('base64url');
    const row = {
      tokenHash: sha256(challenge),
      userId: user.id,
      amr: amr.join(' '),
      guard: guardOf(user),
      browserHash: browser ?? null,
      attempts: 0,
      expiresAt: new Date(clock.now() + LIFETIME * 1000),
      usedAt: null,
    };
    if (manager) await manager.insert(SignInChallenge, row);
    else if (!(await this.insert(row))) return undefined;
    const methods: string[] = [];
    for (const { name, isAvailable } of this.kinds.methods) {
      const reader = manager ?? this.challenges.manager;
      if (await isAvailable(reader, user.id)) methods.push(name);
    }
    return { challenge, methods, expires_in: LIFETIME };
  }

  /** Stores a challenge. Returns false if its user was deleted meanwhile. */
  private async insert(row: Omit<SignInChallenge, 'user'>): Promise<boolean> {
    try {
      await this.database.write((manager) => manager.insert(SignInChallenge, row));
      return true;
    } catch (error) {
      if (violatesForeignKey(error)) return false;
      throw error;
    }
  }

  /**
   * Counts an answer to a challenge; see `countAnswer`.
   *
   * @throws ApiError challenge_invalid; too_many_requests after five answers
   */
  count(challenge: string, origin: Pick<Origin, 'browser'>): Promise<SignInChallenge> {
    const find = () => this.find(challenge, origin);
    return countAnswer(
      this.database,
      SignInChallenge,
      'token_hash = :tokenHash AND used_at IS NULL',
      { tokenHash: sha256(challenge) },
      find,
    );
  }

  /**
   * Returns a challenge that can still be answered. If it was made for a browser, only this browser can answer it.
   *
   * @throws ApiError challenge_invalid
   */
  async find(challenge: string, { browser }: Pick<Origin, 'browser'>): Promise<SignInChallenge> {
    const found = await this.challenges.findOneBy({ tokenHash: sha256(challenge) });
    const isOver = !found || found.usedAt || found.expiresAt <= clock.date();
    if (isOver || (found.browserHash !== null && found.browserHash !== browser)) {
      throw new ApiError('challenge_invalid');
    }
    return found;
  }

  /**
   * Uses a challenge up, in a transaction that holds the lock on its user. Of many requests at once, one
   * succeeds.
   *
   * @throws ApiError challenge_invalid, also if the user's password or tokens have changed since
   */
  async use(manager: EntityManager, { tokenHash, guard }: SignInChallenge, user: User) {
    const { affected } = await manager.update(
      SignInChallenge,
      { tokenHash, usedAt: IsNull() },
      { usedAt: clock.date() },
    );
    if (affected !== 1 || guard !== guardOf(user)) throw new ApiError('challenge_invalid');
  }
}

/** A new password, and the end of all sessions, make a challenge invalid. */
const guardOf = ({ passwordHash, tokenVersion }: User): string =>
  sha256(JSON.stringify([passwordHash, tokenVersion]));
