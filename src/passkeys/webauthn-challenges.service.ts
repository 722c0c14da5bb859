import {
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { sha256 } from '../common/digest.js';
import { Database } from '../database/database.js';
import { Keyring } from '../keys/keyring.js';
import { type Ceremony, WebauthnChallenge } from './webauthn-challenge.entity.js';

const PURPOSE = 'latchkey passkey challenge';

/** The lifetime of a challenge, in milliseconds. */
export const LIFETIME = 300_000;

/** How long a used challenge is kept after its end, in milliseconds: the database's clock may be set back. */
const KEPT = 86_400_000;

/** The parts of a challenge, in bytes; 16 random ones are the least (WebAuthn, section 13.4.3). */
const RANDOM = 16;
const TIME = 6;
const MAC = 32;

/**
 * The challenges that authenticators sign. A challenge is random bytes, the time of its end, and a MAC
 * (HMAC-SHA-256) over both, the ceremony and the user, under a key that is derived from the server's secret. So
 * every instance knows it without a row, and clients without a sign-in cannot fill the database. A used challenge
 * is stored, and accepted only once.
 */
@Injectable()
export class WebauthnChallengesService {
  /** The key of new challenges, and the key of each accepted secret. */
  private readonly current: KeyObject;
  private readonly keys: KeyObject[];

  constructor(
    private readonly database: Database,
    keyring: Keyring,
    cleanup: DailyCleanup,
  ) {
    this.current = createSecretKey(keyring.derive(PURPOSE, ''));
    this.keys = keyring.deriveAll(PURPOSE, '').map((key) => createSecretKey(key));
    cleanup.add('Removing used passkey challenges', () => this.clean());
  }

  /** Removes used challenges that ended long ago. Returns their number. */
  clean(): Promise<number> {
    const before = clock.now() - KEPT;
    return this.database.deleteAll(WebauthnChallenge, 'expires_at < :before', { before });
  }

  /** Returns a new challenge for one user, or for any. */
  make(ceremony: Ceremony, userId: string | null): string {
    const content = randomBytes(RANDOM + TIME);
    content.writeUIntBE(clock.now() + LIFETIME, RANDOM, TIME);
    return Buffer.concat([content, macOf(this.current, content, ceremony, userId)]).toString(
      'base64url',
    );
  }

  /**
   * Uses a challenge up, in the transaction that acts on its answer, and locks the user. Of many requests at once,
   * one succeeds.
   *
   * @throws ApiError passkey_challenge_invalid, also for another ceremony or another user's challenge
   */
  async use(
    manager: EntityManager,
    challenge: string,
    ceremony: Ceremony,
    userId: string,
  ): Promise<void> {
    const expiresAt = this.endOf(challenge, ceremony, userId);
    if (expiresAt === undefined || expiresAt <= clock.now()) throw invalid();
    const lock = this.database.isPostgres ? 'FOR NO KEY UPDATE' : '';
    // TypeORM's driver for SQLite returns no rows of a statement that begins with INSERT. SQLite needs a WHERE
    // before ON CONFLICT.
    const used = await manager.query<unknown[]>(
      `WITH owner AS (SELECT id FROM users WHERE id = $1 ${lock})
       INSERT INTO webauthn_challenges (user_id, challenge_hash, ceremony, expires_at)
       SELECT id, $2, $3, CAST($4 AS bigint) FROM owner WHERE true
       ON CONFLICT DO NOTHING RETURNING challenge_hash`,
      [userId, sha256(challenge), ceremony, expiresAt],
    );
    if (used.length === 0) throw invalid();
  }

  /** Returns the end of a challenge that a server of ours made for the ceremony, and for the user or any. */
  private endOf(challenge: string, ceremony: Ceremony, userId: string): number | undefined {
    const bytes = Buffer.from(challenge, 'base64url');
    // Another spelling of the same bytes would be good for a second use.
    const isWellFormed = bytes.toString('base64url') === challenge;
    if (!isWellFormed || bytes.length !== RANDOM + TIME + MAC) return undefined;
    const content = bytes.subarray(0, RANDOM + TIME);
    const mac = bytes.subarray(RANDOM + TIME);
    const isOurs = this.keys.some((key) =>
      [null, userId].some((one) => timingSafeEqual(mac, macOf(key, content, ceremony, one))),
    );
    return isOurs ? content.readUIntBE(RANDOM, TIME) : undefined;
  }
}

const invalid = (): ApiError => new ApiError('passkey_challenge_invalid');

const macOf = (
  key: KeyObject,
  content: Buffer,
  ceremony: Ceremony,
  userId: string | null,
): Buffer =>
  createHmac('sha256', key)
    .update(content)
    .update(JSON.stringify([ceremony, userId]))
    .digest();
