import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, type FindOptionsWhere, IsNull, MoreThan, Not } from 'typeorm';
import { clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { positionSql } from '../database/commit-order.js';
import { Following } from '../database/following.js';
import { User } from '../users/user.entity.js';
import type { WebhookEvent } from '../webhooks/events.js';
import { Webhooks } from '../webhooks/webhooks.service.js';
import { Revocation } from './revocation.entity.js';
import type { Revoked } from './revocation-list.js';
import { Revocations } from './revocations.js';
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

/** Rows an insert may bring along. */
const BATCH = 500;

/** Sessions that have an event of their own where many end at once. */
const MOST_EVENTS = 100;

/** Higher than any version. */
const EVERY_VERSION = 2_147_483_647;

/** One transaction that ends sessions or outdates tokens; see {@link SessionChanges}. */
export class SessionChange {
  /** What was revoked so far. */
  readonly revoked: Revoked[] = [];
  private readonly now = clock.date();

  constructor(
    readonly manager: EntityManager,
    private readonly lifetime: number,
    private readonly webhooks: Webhooks,
  ) {}

  /** Ends living sessions and their access tokens; resolves to how many it were. */
  async endSessions({ userId, id, except }: SessionChoice, reason: EndReason): Promise<number> {
    const one = id ?? (except === undefined ? undefined : Not(except));
    const chosen = { userId, ...(one !== undefined && { id: one }) };
    const { affected } = await this.manager.update(
      Session,
      { ...chosen, endedAt: IsNull() },
      { endedAt: this.now, endReason: reason },
    );
    // The tokens of a session that was not used for so long have expired.
    const lastUsedAt = MoreThan(new Date(this.now.getTime() - this.lifetime));
    const ended = await this.manager.find(Session, {
      select: { id: true },
      where: { ...chosen, endedAt: this.now, lastUsedAt },
    });
    await this.revoke(ended.map((session) => ({ userId, sessionId: session.id })));
    if (affected) await this.tell({ ...chosen, endedAt: this.now }, affected, reason);
    return affected ?? 0;
  }

  /** Outdates the user's access tokens, so that a refresh has to bring new ones: roles changed. */
  outdateTokens(userId: string): Promise<void> {
    return this.raiseVersion(userId, true);
  }

  /** Ends all of the user's access tokens for good. */
  revokeTokens(userId: string): Promise<void> {
    return this.raiseVersion(userId, false);
  }

  /** Ends the access tokens of a user whose rows are removed in this transaction. */
  forgetUser(userId: string): Promise<void> {
    return this.revoke([{ userId, belowVersion: EVERY_VERSION }]);
  }

  /** An event for each of the last used sessions that ended, and one for all the others. */
  private async tell(
    ended: FindOptionsWhere<Session> & { userId: string },
    count: number,
    reason: EndReason,
  ): Promise<void> {
    if (!this.webhooks.enabled) return;
    const named = await this.manager.find(Session, {
      select: { id: true },
      where: ended,
      order: { lastUsedAt: 'DESC', id: 'ASC' },
      take: Math.min(count, MOST_EVENTS),
    });
    const about = (session: { id: string } | null, many: number): WebhookEvent => ({
      type: 'session.ended',
      data: { user: { id: ended.userId }, session, count: many, reason },
    });
    const events = named.map(({ id }) => about({ id }, 1));
    if (count > named.length) events.push(about(null, count - named.length));
    await this.webhooks.enqueue(this.manager, ...events);
  }

  private async raiseVersion(userId: string, stale: boolean): Promise<void> {
    await this.manager.increment(User, { id: userId }, 'tokenVersion', 1);
    const user = await this.manager.findOneOrFail(User, {
      select: { tokenVersion: true },
      where: { id: userId },
    });
    await this.revoke([{ userId, belowVersion: user.tokenVersion, stale }]);
  }

  private async revoke(rows: (Pick<Revoked, 'userId'> & Partial<Revoked>)[]): Promise<void> {
    const revocations = rows.map((row) => ({
      sessionId: null,
      belowVersion: null,
      stale: false,
      ...row,
      id: randomUUID(),
      revokedAt: this.now,
    }));
    const position = () => positionSql(this.manager, 'revocations');
    for (let i = 0; i < revocations.length; i += BATCH) {
      const some = revocations.slice(i, i + BATCH).map((row) => ({ ...row, position }));
      await this.manager.insert(Revocation, some);
    }
    this.revoked.push(...revocations);
  }
}

/** Where everything that ends sessions or tokens is written. */
@Injectable()
export class SessionChanges {
  constructor(
    private readonly database: Database,
    private readonly following: Following,
    private readonly revocations: Revocations,
    private readonly webhooks: Webhooks,
  ) {}

  /**
   * Runs `work` in one transaction, in which other rooms may write as well. When the promise
   * resolves, what it revoked is durable and refused by this instance; the others are told.
   */
  async transaction<T>(work: (change: SessionChange) => Promise<T>): Promise<T> {
    const [result, revoked] = await this.database.transaction(async (manager) => {
      const change = new SessionChange(manager, this.revocations.lifetime, this.webhooks);
      const done = await work(change);
      if (change.revoked.length > 0) await this.following.tell(manager);
      return [done, change.revoked] as const;
    });
    this.revocations.announce(revoked);
    return result;
  }
}
