import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, MoreThan, Not, type Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import type { PermitUser } from '../users/user-changes.service.js';
import { type Assurance, withProof } from './assurance.js';
import { RevocationsService } from './revocations.service.js';
import { Session } from './session.entity.js';
import type { EndReason } from './session-events.js';

/** A choice of a user's sessions: all, one, or all but one. */
export interface SessionChoice {
  userId: string;
  id?: string;
  except?: string;
}

/** The most sessions in a user's list, the last used ones. */
const LIST_LIMIT = 100;

/** How often the use of a session by a browser is written down, in milliseconds. */
const KEEP_ALIVE = 60_000;

/** The sessions of users, each on one device. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly config: Config,
    private readonly database: Database,
    private readonly revocations: RevocationsService,
    private readonly events: EventsService,
  ) {
    events.onConsequence('password.changed', async (manager, event) => {
      const { user, cause, keptSession } = event;
      // With no session left, tokens without a session end as well.
      if (keptSession === undefined) await this.revocations.revokeTokens(manager, user.id);
      const reason = cause === 'email_change_undone' ? cause : 'password_changed';
      const chosen = { userId: user.id, except: keptSession };
      event.endedSessions = await this.endIn(manager, chosen, reason);
    });
    events.onConsequence('user.disabled', async (manager, event) => {
      const { userId } = event;
      event.endedSessions = await this.endIn(manager, { userId }, 'user_disabled');
      await this.revocations.revokeTokens(manager, userId);
    });
    events.onConsequence('factors.reset', async (manager, event) => {
      const userId = event.user.id;
      event.endedSessions = await this.endIn(manager, { userId }, 'factors_reset');
      await this.revocations.revokeTokens(manager, userId);
    });
    events.onConsequence('user.claimed', async (manager, event) => {
      const userId = event.user.id;
      event.endedSessions = await this.endIn(manager, { userId }, 'account_claimed');
      await this.revocations.revokeTokens(manager, userId);
    });
    // Access tokens carry the username and the roles.
    events.onConsequence('user.profile_changed', async (manager, { user, fields }) => {
      if (fields.includes('username')) await this.revocations.outdateTokens(manager, user.id);
    });
    events.onConsequence('user.renamed', (manager, { userId }) =>
      this.revocations.outdateTokens(manager, userId),
    );
    events.onConsequence('user.roles_changed', (manager, { userId }) =>
      this.revocations.outdateTokens(manager, userId),
    );
    events.onConsequence('user.deleted', (manager, { user }) =>
      this.revocations.forgetUser(manager, user.id),
    );
  }

  /** Marks a session as used now, in a transaction. Returns false if it has ended. */
  async touch(manager: EntityManager, session: { id: string; userId: string }): Promise<boolean> {
    const { affected } = await manager.update(
      Session,
      { ...session, endedAt: IsNull() },
      { lastUsedAt: clock.date() },
    );
    return affected === 1;
  }

  /**
   * Notes that a browser uses a session, and moves its idle expiry. At most one write a minute is made for it, and
   * none for a session that has ended meanwhile.
   */
  async keepAlive({ id, lastUsedAt, createdAt }: Session): Promise<void> {
    const now = clock.now();
    if (now - lastUsedAt.getTime() < KEEP_ALIVE) return;
    const { idle, absolute } = this.config.sessions;
    const end = Math.min(now + idle * 1000, createdAt.getTime() + absolute * 1000);
    await this.database.write((manager) =>
      manager.update(
        Session,
        { id, endedAt: IsNull() },
        { lastUsedAt: new Date(now), expiresAt: new Date(end) },
      ),
    );
  }

  /**
   * Records a further proof of the session's user, in a transaction that holds the lock on the user's row.
   *
   * @returns the session, or undefined if it has ended
   */
  async stepUp(
    manager: EntityManager,
    { id, userId }: { id: string; userId: string },
    proof: Assurance,
  ): Promise<Session | undefined> {
    const session = await manager.findOneBy(Session, { id, userId, endedAt: IsNull() });
    if (!session || session.expiresAt <= clock.date()) return undefined;
    const now = clock.date();
    const changes = { ...withProof(session, proof), authenticatedAt: now, lastUsedAt: now };
    await manager.update(Session, { id, endedAt: IsNull() }, changes);
    const event = { type: 'session.stepped_up', userId, sessionId: id, amr: proof.amr } as const;
    await this.events.publish(manager, event);
    return { ...session, ...changes };
  }

  /**
   * Lowers a user's living sessions to assurance level 1, in a transaction that holds the lock on the user's row.
   * Their access tokens keep the level that they name.
   */
  async lower(manager: EntityManager, userId: string): Promise<void> {
    const raised = await manager.findBy(Session, { userId, aal: 2, endedAt: IsNull() });
    for (const { id, amr } of raised) {
      const changes = { amr: amr.filter((name) => name !== 'mfa'), aal: 1 as const };
      await manager.update(Session, { id }, changes);
    }
  }

  /** Ends living sessions with their access tokens. Returns how many have ended. */
  end(sessions: SessionChoice, reason: EndReason): Promise<number> {
    return this.database.transaction(async (manager) => {
      const { userId, id, except } = sessions;
      // A user that was deleted meanwhile has neither sessions nor tokens.
      if (!(await lockUser(manager, userId))) return 0;
      // With all of them, tokens without a session end as well.
      if (id === undefined && except === undefined) {
        await this.revocations.revokeTokens(manager, userId);
      }
      return this.endIn(manager, sessions, reason);
    });
  }

  /**
   * Ends all sessions and tokens of a user, for an administrator. `permit` judges the user first.
   *
   * @returns how many sessions have ended; undefined if there is no such user
   */
  endAll(userId: string, permit: PermitUser): Promise<number | undefined> {
    return this.database.transaction(async (manager) => {
      const user = await lockUser(manager, userId);
      if (!user) return undefined;
      await permit(user, manager);
      const ended = await this.endIn(manager, { userId }, 'ended_by_admin');
      // The audit has a row for it in any case.
      if (ended === 0) await this.tell(manager, { userId }, [], 'ended_by_admin');
      await this.revocations.revokeTokens(manager, userId);
      return ended;
    });
  }

  /**
   * Ends living sessions with their access tokens, in a transaction that holds the lock on the user's row.
   * Returns how many have ended.
   */
  async endIn(
    manager: EntityManager,
    { userId, id, except }: SessionChoice,
    reason: EndReason,
  ): Promise<number> {
    const one = id ?? (except === undefined ? undefined : Not(except));
    const chosen = { userId, ...(one !== undefined && { id: one }) };
    const living = await manager.find(Session, {
      select: { id: true, lastUsedAt: true },
      where: { ...chosen, endedAt: IsNull() },
      order: { lastUsedAt: 'DESC', id: 'ASC' },
    });
    if (living.length === 0) return 0;
    const endedAt = clock.date();
    await manager.update(Session, { ...chosen, endedAt: IsNull() }, { endedAt, endReason: reason });
    // The tokens of a session that was not used for so long have expired.
    const since = endedAt.getTime() - this.revocations.lifetime;
    const used = living.filter(({ lastUsedAt }) => lastUsedAt.getTime() > since);
    await this.revocations.revokeSessions(manager, userId, idsOf(used));
    await this.tell(manager, { userId, id }, idsOf(living), reason);
    return living.length;
  }

  /** Returns a user's living sessions, the last used ones first. */
  active(userId: string): Promise<Session[]> {
    return this.sessions.find({
      where: { userId, endedAt: IsNull(), expiresAt: MoreThan(clock.date()) },
      order: { lastUsedAt: 'DESC', id: 'ASC' },
      take: LIST_LIMIT,
    });
  }

  /** Returns the addresses from which a user has signed in, of the stored sessions. */
  async addressesOf(userId: string): Promise<string[]> {
    const rows = await this.sessions
      .createQueryBuilder('session')
      .select('DISTINCT session.address', 'address')
      .where({ userId })
      .getRawMany<{ address: string }>();
    return rows.map(({ address }) => address);
  }

  private async tell(
    manager: EntityManager,
    { userId, id }: SessionChoice,
    ids: string[],
    reason: EndReason,
  ): Promise<void> {
    const one = id !== undefined;
    await this.events.publish(manager, { type: 'sessions.ended', userId, ids, one, reason });
  }
}

const idsOf = (sessions: Session[]): string[] => sessions.map(({ id }) => id);
