import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, Not } from 'typeorm';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { onBehalfOfOthers } from '../audit/on-behalf.js';
import { clock } from '../common/clock.js';
import { OutboxItem } from '../mail/outbox-item.entity.js';
import { OneTimeToken } from '../mailed-links/one-time-token.entity.js';
import { Session } from '../sessions/session.entity.js';
import type { User } from '../users/user.entity.js';
import { UsernameClaim } from '../users/username-claim.entity.js';
import { WebhookItem } from '../webhooks/webhook-item.entity.js';

/**
 * Collects the stored data about a user (GDPR, articles 15 and 20). It leaves out credentials: hashes, salts,
 * codes and sealed mails. It also leaves out facts that would tell whether another account has the address,
 * and an administrator's reason for a ban.
 */
@Injectable()
export class AccountExport {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** The user's rows of every table, as a JSON document. */
  async of(user: User): Promise<Record<string, unknown>> {
    const userId = user.id;
    const { manager } = this.database;
    const sessions = await manager.find(Session, {
      where: { userId },
      order: { createdAt: 'ASC' },
    });
    const links = await manager.find(OneTimeToken, {
      where: { userId },
      order: { createdAt: 'ASC' },
    });
    // Not mail to an address that is not shown to be the user's: its being there would tell whether somebody
    // else has it. The link in it is listed above either way.
    const mails = user.emailVerifiedAt
      ? await manager.find(OutboxItem, {
          where: { userId, template: Not('confirm-email') },
          order: { createdAt: 'ASC' },
        })
      : [];
    const webhooks = await manager.find(WebhookItem, {
      where: { userId },
      order: { position: 'ASC' },
    });
    const names = await manager.find(UsernameClaim, {
      where: { userId },
      order: { skeleton: 'ASC' },
    });
    const events = await eventsOf(manager, userId);
    return {
      exportedAt: clock.date(),
      user: without(user, 'passwordHash', 'usernameKey', 'emailKey', 'disabledReason'),
      names: names.map(({ skeleton, reservedUntil }) => ({ skeleton, reservedUntil })),
      sessions: sessions.map((session) => without(session, 'salt', 'user')),
      links: links.map(({ purpose, payload, createdAt, expiresAt, usedAt }) => ({
        purpose,
        email: payload?.email ?? null,
        createdAt,
        expiresAt,
        usedAt,
      })),
      mails: mails.map(({ template, createdAt, attempts, failedAt }) => ({
        template,
        createdAt,
        attempts,
        failedAt,
      })),
      events: events.map((event) => eventView(event, userId)),
      webhooks: webhooks.map(({ payload, attempts, failedAt }) => ({
        event: JSON.parse(payload) as unknown,
        attempts,
        failedAt,
      })),
    };
  }
}

/** Returns the events about the user and by the user, also on behalf of others. */
async function eventsOf(manager: EntityManager, userId: string): Promise<AuditEvent[]> {
  const own = await manager.findBy(AuditEvent, [{ subjectId: userId }, { actorId: userId }]);
  const onBehalf = await manager.findBy(AuditEvent, await onBehalfOfOthers(manager, userId));
  const all = [...new Map([...own, ...onBehalf].map((event) => [event.id, event])).values()];
  return all.sort(
    (a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1),
  );
}

/**
 * Returns an event in the form for its user. If another user acted, request, address and user agent are that
 * user's and are left out. If the event is about another user, the details are left out.
 */
function eventView(event: AuditEvent, userId: string): object {
  const { createdAt, action, subjectId, actorId, impersonatorId, source } = event;
  const { requestId, address, userAgent, details } = event;
  const ofThisUser = subjectId === userId;
  const byThisUser = (impersonatorId ?? actorId ?? subjectId) === userId;
  return {
    createdAt,
    action,
    ofThisUser,
    source,
    ...(byThisUser && { address, userAgent, requestId }),
    ...(ofThisUser && { details: JSON.parse(details ?? '{}') as unknown }),
  };
}

function without<T extends object>(row: T, ...names: (keyof T & string)[]): Partial<T> {
  const kept = Object.entries(row).filter(([name]) => !(names as string[]).includes(name));
  return Object.fromEntries(kept) as Partial<T>;
}
