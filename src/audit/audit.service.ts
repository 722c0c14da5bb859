import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { currentContext } from '../common/request-context.js';
import type { AuditEntry } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditKeys } from './audit-keys.js';
import { auditRow } from './audit-row.js';

/** Where everything that matters is recorded. */
@Injectable()
export class Audit {
  constructor(private readonly keys: AuditKeys) {}

  /**
   * Records what `manager`'s transaction does; committed with it or not at all. Address, user agent and
   * the signed-in user come from the request under way.
   */
  async record(manager: EntityManager, entry: AuditEntry): Promise<void> {
    await manager.insert(AuditEvent, auditRow(this.keys.macs, entry, currentContext()));
  }

  /**
   * Empties address and user agent in the rows of a user who is deleted in `manager`'s transaction, in
   * which `user_deleted` has to be recorded as well: without, `verify` takes them for removed by others.
   */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    const empty = { address: null, userAgent: null, originSalt: null };
    await manager.update(AuditEvent, { actorId: userId }, empty);
    await manager.update(AuditEvent, { actorId: IsNull(), subjectId: userId }, empty);
  }
}
