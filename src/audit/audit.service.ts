import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, LessThan } from 'typeorm';
import { currentContext } from '../common/request-context.js';
import { TableSql } from '../database/table-sql.js';
import type { AuditEntry } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';
import type { AuditHook } from './audit-hook.js';
import { lockAudit } from './audit-lock.js';
import { auditRow } from './audit-row.js';
import { onBehalfOfOthers } from './on-behalf.js';

/** Records the changes that matter. */
@Injectable()
export class AuditService {
  private hook: AuditHook | undefined;

  /** Attaches the one capability that protects the rows. */
  attach(hook: AuditHook): void {
    this.hook = hook;
  }

  /**
   * Records a change in the transaction of `manager`: the row is committed with it, or not at all. Address,
   * user agent and the signed-in user come from the running request.
   */
  async record(manager: EntityManager, entry: AuditEntry): Promise<void> {
    const row = auditRow(entry, currentContext());
    await TableSql.of(manager, AuditEvent).insert(manager, this.hook?.complete(row) ?? row);
  }

  /** Stores rows of {@link auditRow}. */
  async insert(manager: EntityManager, rows: AuditEvent[]): Promise<void> {
    const { hook } = this;
    await manager.insert(AuditEvent, hook ? rows.map((row) => hook.complete(row)) : rows);
  }

  /**
   * Empties address and user agent in the rows of a user that is deleted in the transaction of `manager`, also
   * in the rows about actions on behalf of others. Call it after `user_deleted` was recorded there: without
   * that row, emptied rows count as tampered with.
   */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    // The chain may be about to seal these rows, and locks them in another order.
    await lockAudit(manager);
    const empty = { address: null, userAgent: null, originSalt: null };
    await manager.update(AuditEvent, { actorId: userId }, empty);
    await manager.update(AuditEvent, { actorId: IsNull(), subjectId: userId }, empty);
    await manager.update(AuditEvent, await onBehalfOfOthers(manager, userId), empty);
  }

  /** Removes up to `limit` of the oldest rows from before `before`; see {@link AuditHook.prune}. */
  async prune(manager: EntityManager, before: number, limit: number): Promise<number> {
    await lockAudit(manager);
    if (this.hook) return this.hook.prune(manager, before, limit);
    const rows = await manager.find(AuditEvent, {
      select: { id: true },
      where: { createdAt: LessThan(new Date(before)) },
      order: { createdAt: 'ASC', id: 'ASC' },
      take: limit,
    });
    if (rows.length > 0) await manager.delete(AuditEvent, { id: In(rows.map(({ id }) => id)) });
    return rows.length;
  }
}
