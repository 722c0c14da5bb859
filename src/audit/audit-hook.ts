import type { EntityManager } from 'typeorm';
import type { AuditEvent } from './audit-event.entity.js';

/** The extension point of the audit: a capability that protects rows, such as the chain, attaches one. */
export interface AuditHook {
  /** Returns the row to store, with the columns that the capability fills. */
  complete(row: AuditEvent): AuditEvent;
  /**
   * Removes up to `limit` rows from before `before` (milliseconds since 1970), the oldest first. Runs in the
   * transaction of `manager`, which holds the audit's lock. Resolves to the number of removed rows.
   */
  prune(manager: EntityManager, before: number, limit: number): Promise<number>;
}
