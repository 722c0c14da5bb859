import { type EntityManager, type FindOptionsWhere, In } from 'typeorm';
import type { AuditAction } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';

/**
 * Which rows are of what a user did on behalf of others: no index has those, but one has the others, and
 * whom the user has begun to act for.
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
