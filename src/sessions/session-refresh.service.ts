import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Counter } from 'prom-client';
import type { Repository } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { type RefreshTokenContent, RefreshTokens, REUSE_WINDOW } from './refresh-token.js';
import { Session } from './session.entity.js';
import type { RefreshableSession } from './session-start.service.js';
import { SessionsService } from './sessions.service.js';

/** Exchanges refresh tokens, and detects those that are used a second time. */
@Injectable()
export class SessionRefreshService {
  private readonly logger = new Logger(SessionRefreshService.name);
  private readonly reuse: Counter<'result'>;

  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly config: Config,
    private readonly database: Database,
    private readonly refreshTokens: RefreshTokens,
    private readonly service: SessionsService,
    metrics: Metrics,
  ) {
    this.reuse = metrics.counter({
      name: 'latchkey_refresh_reuse_total',
      help: 'Refresh tokens that came again: given their successor, or taken for stolen',
      labelNames: ['result'],
    });
    for (const result of ['successor', 'recovered', 'session_ended']) this.reuse.inc({ result }, 0);
  }

  /**
   * Exchanges a refresh token for its successor. The current token moves the session on in one statement, so
   * only one of many parallel requests does. The token before it gets the same successor again within {@link
   * REUSE_WINDOW} of the move, for a second tab. Later it does so only if the client may have lost the answer
   * (see {@link giveAgain}). Any other token was stolen, or a thief was first, so it ends the session (RFC
   * 9700, section 4.14.2).
   *
   * @throws ApiError refresh_token_invalid, refresh_token_expired, session_ended, refresh_token_reused
   */
  async exchange(token: string): Promise<RefreshableSession> {
    const content = this.read(token);
    const now = clock.date();
    const moved = await this.move(content, now);
    const session = await this.find(content);
    if (!moved) {
      if (session.expiresAt <= now) throw new ApiError('refresh_token_expired');
      if (await this.hasJustMoved(content)) this.reuse.inc({ result: 'successor' });
      else if (await this.giveAgain(content, now)) this.reuse.inc({ result: 'recovered' });
      else throw await this.endReused(session);
    }
    return this.tokensOf({ ...session, refreshGeneration: content.generation + 1 });
  }

  /** Returns a session with its current refresh token, which is not stored but computed. */
  tokensOf(session: Session): RefreshableSession {
    const { id, userId, amr, aal, authenticatedAt, refreshGeneration: generation, salt } = session;
    const refreshToken = this.refreshTokens.issue({ sessionId: id, generation, salt });
    return { id, userId, assurance: { amr, aal }, authenticatedAt, refreshToken };
  }

  /**
   * Returns the living session whose current refresh token is `token`. An older token is a reuse and ends its
   * own session.
   *
   * @throws ApiError as {@link exchange}
   */
  async identify(token: string): Promise<{ id: string; userId: string }> {
    const content = this.read(token);
    const session = await this.find(content);
    if (session.expiresAt <= clock.date()) throw new ApiError('refresh_token_expired');
    if (session.refreshGeneration !== content.generation) throw await this.endReused(session);
    return { id: session.id, userId: session.userId };
  }

  private read(token: string): RefreshTokenContent {
    const content = this.refreshTokens.read(token);
    if (!content) throw new ApiError('refresh_token_invalid');
    return content;
  }

  /**
   * Returns the session of a token.
   *
   * @throws ApiError refresh_token_invalid, session_ended
   */
  private async find({ sessionId: id, salt }: RefreshTokenContent): Promise<Session> {
    const session = await this.sessions.findOneBy({ id });
    if (session?.salt !== salt) throw new ApiError('refresh_token_invalid');
    if (session.endedAt) throw new ApiError('session_ended');
    return session;
  }

  /** Moves a session on from the current token. Returns false if the token is not the current one. */
  private async move(content: RefreshTokenContent, now: Date): Promise<boolean> {
    const { idle, absolute } = this.config.sessions;
    const idleEnd = now.getTime() + idle * 1000;
    const ofAge = `created_at + ${absolute * 1000}`;
    const { affected } = await this.database.write((manager) =>
      manager
        .createQueryBuilder()
        .update(Session)
        .set({
          refreshGeneration: content.generation + 1,
          refreshedAt: clock.date(),
          lastUsedAt: now,
          expiresAt: () => `CASE WHEN ${ofAge} < ${idleEnd} THEN ${ofAge} ELSE ${idleEnd} END`,
        })
        .where('id = :sessionId AND salt = :salt AND refresh_generation = :generation', content)
        .andWhere('ended_at IS NULL AND expires_at > :now', { now: now.getTime() })
        .execute(),
    );
    return affected === 1;
  }

  /** Tells whether the session moved on from this token, and no further, within {@link REUSE_WINDOW}. */
  private hasJustMoved({ sessionId: id, generation }: RefreshTokenContent): Promise<boolean> {
    return this.sessions
      .createQueryBuilder()
      .where({ id, refreshGeneration: generation + 1 })
      .andWhere('refreshed_at >= :since', {
        since: clock.now() - REUSE_WINDOW * 1000,
      })
      .getExists();
  }

  /**
   * Gives the successor of a token again after the window, if it was never used: the client may have lost the
   * answer. The session records that, because now two clients may hold the successor. Its own successor is
   * therefore not given again, so the second of the two ends the session. Without the record a thief could
   * follow the owner one token behind forever.
   *
   * @returns false if the successor was used, if the token itself was given twice, or if the move is longer
   *   ago than `REFRESH_RECOVERY_WINDOW`
   */
  private async giveAgain(
    { sessionId, generation, salt }: RefreshTokenContent,
    now: Date,
  ): Promise<boolean> {
    const window = this.config.sessions.recoveryWindow * 1000;
    if (window === 0) return false;
    const successor = generation + 1;
    const { affected } = await this.database.write((manager) =>
      manager
        .createQueryBuilder()
        .update(Session)
        .set({ recoveredGeneration: successor, lastUsedAt: now })
        .where('id = :sessionId AND salt = :salt', { sessionId, salt })
        .andWhere('refresh_generation = :successor', { successor })
        .andWhere('(recovered_generation IS NULL OR recovered_generation <> :generation)', {
          generation,
        })
        .andWhere('refreshed_at >= :since', { since: clock.now() - window })
        .andWhere('ended_at IS NULL AND expires_at > :now', { now: now.getTime() })
        .execute(),
    );
    return affected === 1;
  }

  /** Ends a session whose refresh token was reused. Resolves to the refusal. */
  private async endReused({ id, userId }: Session): Promise<ApiError> {
    await this.service.end({ userId, id }, 'refresh_token_reused');
    this.reuse.inc({ result: 'session_ended' });
    this.logger.warn(`A refresh token was used again: session ${id} has ended`);
    return new ApiError('refresh_token_reused');
  }
}
