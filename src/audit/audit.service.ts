import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { currentContext } from '../common/request-context.js';
import type { AuditEntry } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditKeys } from './audit-keys.js';
import { auditRow } from './audit-row.js';
import { lockChain } from './chain.js';
import { onBehalfOfOthers } from './on-behalf.js';

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
   * Empties address and user agent in the rows of a user who is deleted in `manager`'s transaction, also
   * of what the user did on behalf of others. Call it after `user_deleted` was recorded there: without that
   * row, emptied ones count as tampered with.
   */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    // Its rows may be about to be sealed, which locks them in another order.
    await lockChain(manager);
    const empty = { address: null, userAgent: null, originSalt: null };
    await manager.update(AuditEvent, { actorId: userId }, empty);
    await manager.update(AuditEvent, { actorId: IsNull(), subjectId: userId }, empty);
    await manager.update(AuditEvent, await onBehalfOfOthers(manager, userId), empty);
  }
}
