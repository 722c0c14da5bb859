import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, MoreThan, type Repository } from 'typeorm';
import { countAnswer } from '../auth/challenge-answers.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { sha256 } from '../common/digest.js';
import { storable, storableAddress } from '../common/request-context.js';
import { Database } from '../database/database.js';
import { Keyring } from '../keys/keyring.js';
import type { Origin } from '../sessions/session-start.service.js';
import { MailChallenge } from './mail-challenge.entity.js';

/** The lifetime of a challenge, its link and its code, in seconds. */
export const LIFETIME = 600;

const CODE = 'latchkey mail sign-in code';
const ACCOUNT = 'latchkey mail sign-in account';

/**
 * The challenges of sign-ins by mail. The code of a challenge is a MAC under a key outside the database. So it is
 * not stored, and a challenge has one even if no mail has it: a wrong code takes the same time in both cases.
 */
@Injectable()
export class MailChallengesService {
  constructor(
    @InjectRepository(MailChallenge) private readonly challenges: Repository<MailChallenge>,
    private readonly database: Database,
    private readonly keyring: Keyring,
  ) {}

  /** Makes a challenge for an address, and returns it with the key of its row. */
  async make(
    manager: EntityManager,
    emailKey: string,
    { address, userAgent }: Origin,
  ): Promise<{ challenge: string; challengeHash: string }> {
    const challenge = randomBytes(32).toString('base64url');
    const challengeHash = sha256(challenge);
    const now = clock.now();
    await manager.insert(MailChallenge, {
      challengeHash,
      accountKey: macOf(this.keyring.derive(ACCOUNT, ''), emailKey).toString('base64url'),
      userId: null,
      tokenHash: null,
      address: storableAddress(address),
      userAgent: storable(userAgent),
      attempts: 0,
      createdAt: new Date(now),
      expiresAt: new Date(now + LIFETIME * 1000),
    });
    return { challenge, challengeHash };
  }

  /** Returns a challenge that waits for its mail; null if it has expired or has one. */
  waiting(manager: EntityManager, challengeHash: string): Promise<MailChallenge | null> {
    const expiresAt = MoreThan(clock.date());
    return manager.findOneBy(MailChallenge, { challengeHash, tokenHash: IsNull(), expiresAt });
  }

  /** Binds a challenge to an account and a token. */
  async bind(
    manager: EntityManager,
    { challengeHash }: MailChallenge,
    { userId, tokenHash }: { userId: string; tokenHash: string },
  ): Promise<void> {
    await manager.update(MailChallenge, { challengeHash }, { userId, tokenHash });
  }

  /** Returns the code of a challenge: eight digits. */
  codeOf({ challengeHash }: MailChallenge): string {
    return digits(this.keyring.derive(CODE, challengeHash));
  }

  /** Returns the living challenge of a mailed token. @throws ApiError link_invalid */
  async ofToken(tokenHash: string): Promise<MailChallenge> {
    const expiresAt = MoreThan(clock.date());
    const found = await this.challenges.findOneBy({ tokenHash, expiresAt });
    if (!found) throw new ApiError('link_invalid');
    return found;
  }

  /** Returns a challenge that was not completed. @throws ApiError challenge_invalid */
  async find(challenge: string): Promise<MailChallenge> {
    const challengeHash = sha256(challenge);
    const expiresAt = MoreThan(clock.date());
    const found = await this.challenges.findOneBy({ challengeHash, expiresAt });
    if (!found) throw new ApiError('challenge_invalid');
    return found;
  }

  /**
   * Counts an answer to a challenge; see `countAnswer`.
   *
   * @throws ApiError challenge_invalid; too_many_requests after five answers
   */
  count(challenge: string): Promise<MailChallenge> {
    const find = () => this.find(challenge);
    return countAnswer(
      this.database,
      MailChallenge,
      'challenge_hash = :hash',
      { hash: sha256(challenge) },
      find,
    );
  }

  /** Tells whether a typed code, with or without blanks and hyphens, is the code of a challenge. */
  isCode({ challengeHash }: MailChallenge, typed: string): boolean {
    const given = Buffer.from(sha256(typed.replaceAll(/[\s-]/g, '')));
    return this.keyring
      .deriveAll(CODE, challengeHash)
      .map((key) => Buffer.from(sha256(digits(key))))
      .some((right) => timingSafeEqual(given, right));
  }

  /** Tells whether a token is the mailed one of a challenge. */
  isToken({ tokenHash }: MailChallenge, token: string): boolean {
    return sha256(token) === tokenHash;
  }

  /** Deletes a completed challenge. */
  async drop(manager: EntityManager, { challengeHash }: MailChallenge): Promise<void> {
    await manager.delete(MailChallenge, { challengeHash });
  }
}

/** Returns eight digits of a key. The remainder prefers no code by more than one in 10 million. */
const digits = (key: Buffer): string =>
  (key.readUIntBE(0, 6) % 100_000_000).toString().padStart(8, '0');

const macOf = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();
