import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, MoreThan, Not, type Repository } from 'typeorm';
import type { AuditAction, AuditDetails } from '../audit/audit-entry.js';
import { Audit } from '../audit/audit.service.js';
import { clock } from '../common/clock.js';
import { storable, storableAddress } from '../common/request-context.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import { maySignInSql } from '../users/can-sign-in.js';
import type { User } from '../users/user.entity.js';
import { RefreshTokens } from './refresh-token.js';
import { Session } from './session.entity.js';
import {
  type EndReason,
  type SessionChange,
  SessionChanges,
  type SessionChoice,
} from './session-changes.js';

/** The most sessions that a user is shown, the last used ones. */
const LIST_LIMIT = 100;

/** What the audit calls an end of sessions that is not simply one. */
const ACTIONS: Partial<Record<EndReason, AuditAction>> = {
  logout: 'logout',
  refresh_token_reused: 'refresh_reuse',
  ended_by_admin: 'sessions_revoked',
};

/** Where a sign-in comes from. */
export interface Origin {
  address: string;
  userAgent: string;
}

/** A session and the refresh token that continues it. */
export interface RefreshableSession {
  id: string;
  userId: string;
  /** When the user signed in. */
  createdAt: Date;
  refreshToken: string;
}

/** Signed-in devices. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly config: Config,
    private readonly database: Database,
    private readonly refreshTokens: RefreshTokens,
    private readonly changes: SessionChanges,
    private readonly audit: Audit,
  ) {}

  /**
   * Starts a session of a user who has shown the password of `user`; stored when the promise resolves.
   * Undefined where the password was changed or the user disabled meanwhile: the check and the insert
   * are one, so that no session outlives a change that was made while its password was looked at.
   */
  async start(
    { id: userId, passwordHash }: User,
    { address, userAgent }: Origin,
  ): Promise<RefreshableSession | undefined> {
    const createdAt = clock.date();
    const now = createdAt.getTime();
    const { idle, absolute } = this.config.sessions;
    const id = randomUUID();
    const salt = randomBytes(16).toString('base64url');
    const expiresAt = now + Math.min(idle, absolute) * 1000;
    const origin = [storable(userAgent), storableAddress(address)];
    const values = [userId, passwordHash, now, id, expiresAt, ...origin, salt];
    // A change of the user waits for this session, and then ends it. Another login of the user waits
    // too, so that it counts this session.
    const lock = this.database.isPostgres ? 'FOR NO KEY UPDATE' : '';
    const started = await this.changes.transaction(async (change) => {
      const { manager } = change;
      // Of what begins with INSERT, TypeORM's driver for SQLite does not give the rows.
      const inserted = await manager.query<unknown[]>(
        `WITH owner AS (
           SELECT id FROM users WHERE id = $1 AND password_hash = $2
             AND ${maySignInSql(this.config, 'CAST($3 AS bigint)')} ${lock}
         )
         INSERT INTO sessions (user_id, created_at, last_used_at, refreshed_at, id, expires_at,
           user_agent, address, salt, refresh_generation)
         SELECT id, $3, $3, $3, $4, CAST($5 AS bigint), $6, $7, $8, 0 FROM owner
         RETURNING id`,
        values,
      );
      if (inserted.length === 0) return false;
      await this.audit.record(manager, {
        action: 'login',
        subjectId: userId,
        actorId: userId,
        details: { session: id },
      });
      await this.endSurplus(change, { userId, id });
      return true;
    });
    if (!started) return undefined;
    const refreshToken = this.refreshTokens.issue({ sessionId: id, generation: 0, salt });
    return { id, userId, createdAt, refreshToken };
  }

  /** Marks a session as used now, in a transaction; false where it has ended. */
  async touch(manager: EntityManager, session: { id: string; userId: string }): Promise<boolean> {
    const { affected } = await manager.update(
      Session,
      { ...session, endedAt: IsNull() },
      { lastUsedAt: clock.date() },
    );
    return affected === 1;
  }

  /** Ends living sessions with their access tokens; resolves to how many it were. */
  end(sessions: SessionChoice, reason: EndReason): Promise<number> {
    return this.changes.transaction(async (change) => {
      const { userId: subjectId, id, except } = sessions;
      // With all of them, tokens without a session end as well. A login locks the user first, too. The
      // user may have been deleted meanwhile, and has no tokens then.
      const endsAll = id === undefined && except === undefined;
      if (endsAll && (await lockUser(change.manager, subjectId))) {
        await change.revokeTokens(subjectId);
      }
      const ended = await change.endSessions(sessions, reason);
      const details: AuditDetails = id === undefined ? { sessions: ended } : { session: id };
      const action = ACTIONS[reason] ?? 'session_ended';
      if (ended > 0) await this.audit.record(change.manager, { action, subjectId, details });
      return ended;
    });
  }

  /** Ends those of a user's sessions beside a new one that were not used for the longest, if too many. */
  private async endSurplus(
    change: SessionChange,
    { userId, id: started }: { userId: string; id: string },
  ): Promise<void> {
    const surplus = await change.manager.find(Session, {
      select: { id: true },
      where: { userId, id: Not(started), endedAt: IsNull(), expiresAt: MoreThan(clock.date()) },
      order: { lastUsedAt: 'DESC', id: 'ASC' },
      skip: this.config.sessions.perUser - 1,
    });
    for (const { id } of surplus) {
      await change.endSessions({ userId, id }, 'too_many_sessions');
      const details = { session: id, reason: 'too_many_sessions' };
      await this.audit.record(change.manager, {
        action: 'session_ended',
        subjectId: userId,
        details,
      });
    }
  }

  /** A user's living sessions, the last used ones first. */
  living(userId: string): Promise<Session[]> {
    return this.sessions.find({
      where: { userId, endedAt: IsNull(), expiresAt: MoreThan(clock.date()) },
      order: { lastUsedAt: 'DESC', id: 'ASC' },
      take: LIST_LIMIT,
    });
  }

  /** The addresses from which a user has signed in, of sessions that are stored. */
  async addressesOf(userId: string): Promise<string[]> {
    const rows = await this.sessions
      .createQueryBuilder('session')
      .select('DISTINCT session.address', 'address')
      .where({ userId })
      .getRawMany<{ address: string }>();
    return rows.map(({ address }) => address);
  }
}
