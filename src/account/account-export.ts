import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { OutboxItem } from '../mail/outbox-item.entity.js';
import { OneTimeToken } from '../one-time-tokens/one-time-token.entity.js';
import { Session } from '../sessions/session.entity.js';
import type { User } from '../users/user.entity.js';
import { WebhookItem } from '../webhooks/webhook-item.entity.js';

/**
 * Everything that is stored about a user (GDPR, articles 15 and 20), but what would let somebody in:
 * hashes, salts, codes and sealed mails.
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
    const mails = await manager.find(OutboxItem, {
      where: { userId },
      order: { createdAt: 'ASC' },
    });
    const webhooks = await manager.find(WebhookItem, {
      where: { userId },
      order: { position: 'ASC' },
    });
    const events = await manager.find(AuditEvent, {
      where: [{ subjectId: userId }, { actorId: userId }],
      order: { createdAt: 'ASC', id: 'ASC' },
    });
    return {
      exportedAt: new Date(),
      user: {
        ...without(user, 'passwordHash', 'usernameKey', 'emailKey'),
        emailSignsIn: user.emailKey !== null,
      },
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
      events: events.map(({ createdAt, action, subjectId, actorId, address, userAgent }) => {
        // Where somebody else did it, the address is theirs.
        const own = actorId === userId || actorId === null;
        return {
          createdAt,
          action,
          ofThisUser: subjectId === userId,
          ...(own && { address, userAgent }),
        };
      }),
      webhooks: webhooks.map(({ payload, attempts, failedAt }) => ({
        event: JSON.parse(payload) as unknown,
        attempts,
        failedAt,
      })),
    };
  }
}

function without<T extends object>(row: T, ...names: (keyof T & string)[]): Partial<T> {
  const kept = Object.entries(row).filter(([name]) => !(names as string[]).includes(name));
  return Object.fromEntries(kept) as Partial<T>;
}
