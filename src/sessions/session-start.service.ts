import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { storable, storableAddress } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { maySignInSql } from '../users/can-sign-in.js';
import type { Assurance } from './assurance.js';
import { RefreshTokens } from './refresh-token.js';
import { SessionsService } from './sessions.service.js';

/** The device that a sign-in comes from. */
export interface Origin {
  address: string;
  userAgent: string;
  /** The languages that its user reads, as in `Accept-Language`. */
  locale?: string;
  /** SHA-256 of the cookie that tells browsers apart; undefined if the client sent none. */
  browser?: string | undefined;
}

/** The user of a new session, in the state that the sign-in checked. */
export interface SeenUser {
  id: string;
  /** If given, the session starts only if the user still has this hash. */
  passwordHash?: string;
  /** Below level 2, the session starts only if the user has no second factor. */
  assurance: Assurance;
}

/** A session and the refresh token that continues it. */
export interface RefreshableSession {
  id: string;
  userId: string;
  assurance: Assurance;
  /** When the user last proved a credential. */
  authenticatedAt: Date;
  refreshToken: string;
}

/** Starts sessions. Only `SignInsService` may call it, because it checks that the user may sign in. */
@Injectable()
export class SessionStartService {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionsService,
    private readonly events: EventsService,
  ) {}

  /**
   * Starts a session, in the transaction of `manager` or in one of its own. One statement checks the user
   * and inserts the session. Thus no session outlives a change that was made while the server looked at the
   * password.
   *
   * @param manager a transaction that holds the lock on the user's row
   * @returns undefined if the user may not sign in any more, has another password hash, or got a second factor
   */
  async start(
    user: SeenUser,
    origin: Origin,
    manager?: EntityManager,
  ): Promise<RefreshableSession | undefined> {
    const createdAt = clock.date();
    const [id, salt] = [randomUUID(), randomBytes(16).toString('base64url')];
    const work = async (inside: EntityManager): Promise<boolean> => {
      const start = { id, salt, now: createdAt.getTime() };
      const others = await this.insert(inside, user, origin, start);
      if (others === undefined) return false;
      const { amr } = user.assurance;
      const event = { type: 'session.started', userId: user.id, sessionId: id, amr } as const;
      await this.events.publish(inside, event);
      // PostgreSQL counts from before the statement waited for the lock.
      const isCounted = manager !== undefined || !this.database.isPostgres;
      const isSurplus = others >= this.config.sessions.perUser;
      if (isSurplus || !isCounted) await this.endSurplus(inside, { userId: user.id, id });
      return true;
    };
    const started = manager ? await work(manager) : await this.database.transaction(work);
    if (!started) return undefined;
    const refreshToken = this.refreshTokens.issue({ sessionId: id, generation: 0, salt });
    const { assurance } = user;
    return { id, userId: user.id, assurance, authenticatedAt: createdAt, refreshToken };
  }

  /** Inserts the session. Returns how many others the user has; undefined if the user may not sign in. */
  private async insert(
    manager: EntityManager,
    { id: userId, passwordHash, assurance }: SeenUser,
    { address, userAgent }: Origin,
    { id, salt, now }: { id: string; salt: string; now: number },
  ): Promise<number | undefined> {
    const { idle, absolute } = this.config.sessions;
    const expiresAt = now + Math.min(idle, absolute) * 1000;
    const origin = [storable(userAgent), storableAddress(address)];
    const { amr, aal } = assurance;
    // SQLite counts the parameters in the order in which the statement first names them.
    const first = [userId, passwordHash ?? null, aal, now];
    const values = [...first, id, expiresAt, ...origin, salt, amr.join(' ')];
    // A change of the user waits for this session, and then ends it. Another login of the user waits
    // too, so that it counts this session.
    const lock = this.database.isPostgres ? 'FOR NO KEY UPDATE' : '';
    // TypeORM's driver for SQLite returns no rows of a statement that begins with INSERT.
    const [inserted] = await manager.query<{ others: number | string }[]>(
      `WITH owner AS (
         SELECT id FROM users WHERE id = $1 AND password_hash = coalesce($2, password_hash)
           AND (second_factor_since IS NULL OR CAST($3 AS integer) >= 2)
           AND ${maySignInSql(this.config, 'CAST($4 AS bigint)')} ${lock}
       )
       INSERT INTO sessions (user_id, created_at, authenticated_at, last_used_at, refreshed_at, id,
         expires_at, user_agent, address, salt, amr, aal, refresh_generation)
       SELECT id, $4, $4, $4, $4, $5, CAST($6 AS bigint), $7, $8, $9, $10, $3, 0 FROM owner
       RETURNING (SELECT count(*) FROM sessions other
         WHERE other.user_id = $1 AND other.id <> $5 AND other.ended_at IS NULL AND other.expires_at > $4) AS others`,
      values,
    );
    return inserted && Number(inserted.others);
  }

  /** Ends the sessions that were not used for the longest, if the user has too many beside the new one. */
  private async endSurplus(
    manager: EntityManager,
    { userId, id: started }: { userId: string; id: string },
  ): Promise<void> {
    // SQLite takes no OFFSET without a LIMIT.
    const surplus = await manager.query<{ id: string }[]>(
      `SELECT id FROM sessions
       WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND expires_at > $3
       ORDER BY last_used_at DESC, id LIMIT ${Number.MAX_SAFE_INTEGER} OFFSET $4`,
      [userId, started, clock.date().getTime(), this.config.sessions.perUser - 1],
    );
    for (const { id } of surplus) {
      await this.sessions.endIn(manager, { userId, id }, 'too_many_sessions');
    }
  }
}
