import { type EntityManager, type FindOptionsWhere, In } from 'typeorm';
import type { AuditAction } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';

/**
 * Returns a condition for the rows about a user's actions on behalf of others. No index covers these rows.
 * The condition names the others, whom the user began to impersonate, and an index covers theirs.
 */
export async function onBehalfOfOthers(
  manager: EntityManager,
  userId: string,
): Promise<FindOptionsWhere<AuditEvent>> {
  const begun = await manager.find(AuditEvent, {
    select: { subjectId: true },
    where: { actorId: userId, action: 'impersonation_started' satisfies AuditAction },
  });
  const others = [...new Set(begun.flatMap(({ subjectId }) => subjectId ?? []))];
  return { actorId: In(others), impersonatorId: userId };
}
