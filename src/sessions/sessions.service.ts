import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import {
  type EntityManager,
  type FindOptionsWhere,
  IsNull,
  MoreThan,
  Not,
  type Repository,
} from 'typeorm';
import type { AuditAction, AuditDetails } from '../audit/audit-entry.js';
import { Audit } from '../audit/audit.service.js';
import { clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import type { WebhookEvent } from '../webhooks/events.js';
import { Webhooks } from '../webhooks/webhooks.service.js';
import { RevocationsService } from './revocations.service.js';
import { Session } from './session.entity.js';

/** Why sessions end. */
export type EndReason =
  | 'logout'
  | 'ended_by_user'
  | 'refresh_token_reused'
  | 'too_many_sessions'
  | 'password_changed'
  | 'email_change_undone'
  | 'user_disabled'
  | 'user_deleted'
  | 'ended_by_admin';

/** Which of a user's sessions: all, one, or all but one. */
export interface SessionChoice {
  userId: string;
  id?: string;
  except?: string;
}

/** The most sessions that a user is shown, the last used ones. */
const LIST_LIMIT = 100;

/** How many sessions get an event of their own if many end at once. */
const NAMED_SESSIONS = 100;

/** The audit's actions for reasons that have one of their own. */
const ACTIONS: Partial<Record<EndReason, AuditAction>> = {
  logout: 'logout',
  refresh_token_reused: 'refresh_reuse',
  ended_by_admin: 'sessions_revoked',
};

/** The sessions of users, each on one device. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly database: Database,
    private readonly revocations: RevocationsService,
    private readonly audit: Audit,
    private readonly webhooks: Webhooks,
  ) {}

  /** Marks a session as used now, in a transaction. Returns false if it has ended. */
  async touch(manager: EntityManager, session: { id: string; userId: string }): Promise<boolean> {
    const { affected } = await manager.update(
      Session,
      { ...session, endedAt: IsNull() },
      { lastUsedAt: clock.date() },
    );
    return affected === 1;
  }

  /** Ends living sessions with their access tokens, and records it. Returns how many have ended. */
  end(sessions: SessionChoice, reason: EndReason): Promise<number> {
    return this.database.transaction(async (manager) => {
      const { userId: subjectId, id, except } = sessions;
      // With all of them, tokens without a session end as well. A login locks the user first, too. The
      // user may have been deleted meanwhile, and has no tokens then.
      const endsAll = id === undefined && except === undefined;
      if (endsAll && (await lockUser(manager, subjectId))) {
        await this.revocations.revokeTokens(manager, subjectId);
      }
      const ended = await this.endIn(manager, sessions, reason);
      const details: AuditDetails = id === undefined ? { sessions: ended } : { session: id };
      const action = ACTIONS[reason] ?? 'session_ended';
      if (ended > 0) await this.audit.record(manager, { action, subjectId, details });
      return ended;
    });
  }

  /** Ends living sessions with their access tokens, as a part of a change. Returns how many have ended. */
  async endIn(
    manager: EntityManager,
    { userId, id, except }: SessionChoice,
    reason: EndReason,
  ): Promise<number> {
    const one = id ?? (except === undefined ? undefined : Not(except));
    const chosen = { userId, ...(one !== undefined && { id: one }) };
    const endedAt = clock.date();
    const { affected } = await manager.update(
      Session,
      { ...chosen, endedAt: IsNull() },
      { endedAt, endReason: reason },
    );
    // The tokens of a session that was not used for so long have expired.
    const lastUsedAt = MoreThan(new Date(endedAt.getTime() - this.revocations.lifetime));
    const ended = await manager.find(Session, {
      select: { id: true },
      where: { ...chosen, endedAt, lastUsedAt },
    });
    const ids = ended.map((session) => session.id);
    await this.revocations.revokeSessions(manager, userId, ids);
    if (affected) await this.tell(manager, { ...chosen, endedAt }, affected, reason);
    return affected ?? 0;
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

  /** Stores an event for each of the last used sessions that ended, and one for all the others. */
  private async tell(
    manager: EntityManager,
    ended: FindOptionsWhere<Session> & { userId: string },
    count: number,
    reason: EndReason,
  ): Promise<void> {
    if (!this.webhooks.enabled) return;
    const named = await manager.find(Session, {
      select: { id: true },
      where: ended,
      order: { lastUsedAt: 'DESC', id: 'ASC' },
      take: Math.min(count, NAMED_SESSIONS),
    });
    const about = (session: { id: string } | null, many: number): WebhookEvent => ({
      type: 'session.ended',
      data: { user: { id: ended.userId }, session, count: many, reason },
    });
    const events = named.map(({ id }) => about({ id }, 1));
    if (count > named.length) events.push(about(null, count - named.length));
    await this.webhooks.enqueue(manager, ...events);
  }
}
